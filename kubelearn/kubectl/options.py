"""Flags that several verbs share, and what they mean: dry run, field manager, validation, the output format."""

from __future__ import annotations

from typing import Any

from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Flag, Parsed

OUTPUT = Flag(
    "output", "o", help="how to print: json, yaml, name, wide, jsonpath=…, custom-columns=…", complete="outputs"
)
SHOW_MANAGED_FIELDS = Flag("show-managed-fields", kind="bool", help="keep managedFields in JSON and YAML")
TEMPLATE = Flag("template", help="template text, or its file, for -o jsonpath and the like")
PRINT = (OUTPUT, SHOW_MANAGED_FIELDS, TEMPLATE)

FILENAME = Flag(
    "filename", "f", "strings", help="file, directory or - (standard input) with manifests", complete="files"
)
RECURSIVE = Flag("recursive", "R", "bool", help="descend into the directories given with -f")
KUSTOMIZE = Flag("kustomize", "k", help="not supported: build the directory first and pass the result with -f")
FILES = (FILENAME, KUSTOMIZE, RECURSIVE)

SELECTOR = Flag("selector", "l", help="only objects whose labels match, e.g. app=web,tier in (a,b)", complete="labels")
FIELD_SELECTOR = Flag("field-selector", help="only objects whose fields match, e.g. status.phase=Running")
ALL_NAMESPACES = Flag("all-namespaces", "A", "bool", help="all namespaces")
ALL = Flag("all", kind="bool", help="all objects of the given types in the namespace")
LOCAL = Flag("local", kind="bool", help="work on the manifests alone, without the server")

DRY_RUN = Flag(
    "dry-run",
    default="none",
    default_no_value="unchanged",
    help="none, server or client: only show the result",
    complete="dry-runs",
)
VALIDATE = Flag(
    "validate",
    default="strict",
    default_no_value="strict",
    help="strict, warn or ignore: what to do about unknown fields",
)
SAVE_CONFIG = Flag("save-config", kind="bool", help="remember the configuration for a later apply")


def field_manager(name: str) -> Flag:
    return Flag("field-manager", default=name, help="who the server notes as the owner of changed fields")


def dry_run(parsed: Parsed) -> str:
    """none, client or server. Raises CommandError."""
    value: str = parsed["dry-run"]
    if value in ("none", "client", "server"):
        return value
    if value == "unchanged":
        return "client"
    if value in ("true", "false", "t", "f", "1", "0", "True", "False", "TRUE", "FALSE", "T", "F"):
        return "client" if value in ("true", "t", "1", "True", "TRUE", "T") else "none"
    raise CommandError(f'Invalid dry-run value ({value}). Must be "none", "server", or "client".')


def field_validation(parsed: Parsed) -> str:
    """Strict, Warn or Ignore. Raises CommandError."""
    words = {"strict": "Strict", "true": "Strict", "warn": "Warn", "ignore": "Ignore", "false": "Ignore"}
    value: str = parsed["validate"]
    if value.lower() not in words:
        raise CommandError(
            f'invalid - validate option "{value}"; must be one of: strict (or true), warn, ignore (or false)'
        )
    return words[value.lower()]


def write_query(parsed: Parsed, dry: str = "none") -> dict[str, Any]:
    """Query parameters of a write."""
    query: dict[str, Any] = {"fieldManager": parsed.flags.get("field-manager") or None}
    if dry == "server":
        query["dryRun"] = "All"
    if "validate" in parsed.flags:
        query["fieldValidation"] = field_validation(parsed)
    return query


def dry_suffix(dry: str) -> str:
    return {"client": " (dry run)", "server": " (server dry run)"}.get(dry, "")
