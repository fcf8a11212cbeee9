"""The official OpenAPI definitions of the Kubernetes release that is served, read once, lazily and compactly.

They come from the package `kubernetes-validate`, whose one definitions file is read without importing the
package (that would pull in jsonschema). Kept in memory are the encoded bytes of each definition and an
index of kinds, about 1.5 MB; a definition is decoded when somebody asks. Enumerations and zero values of
fields are missing in that file, so they are in facts.json beside this module. Callers: `schema`, `openapi`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import orjson

from kubelearn import KUBERNETES_VERSION

PREFIX = "#/$defs/"

Gvk = tuple[str, str, str]


class DefinitionsMissing(Exception):
    """The installation has no definitions for the release that is served."""


def _file() -> Path:
    minor = ".".join(KUBERNETES_VERSION.split(".")[:2])
    spec = importlib.util.find_spec("kubernetes_validate")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        found = sorted((Path(root) / "kubernetes-json-schema").glob(f"v{minor}.*-local/_definitions.json"))
        if found:
            return found[-1]
    raise DefinitionsMissing(f"the package kubernetes-validate has no definitions of Kubernetes {minor}")


@cache
def _encoded() -> tuple[dict[str, bytes], dict[Gvk, str], dict[str, str]]:
    """Bytes by name, names by (group, version, kind), and names by kind for what every group serves."""
    definitions: dict[str, bytes] = {}
    kinds: dict[Gvk, str] = {}
    shared: dict[str, str] = {}
    document = orjson.loads(_file().read_bytes())["$defs"]
    while document:
        name, definition = document.popitem()
        definitions[name] = orjson.dumps(definition)
        gvks = definition.get("x-kubernetes-group-version-kind") or ()
        for gvk in gvks:
            if len(gvks) > 1:  # DeleteOptions, WatchEvent
                shared[gvk["kind"]] = name
            else:
                kinds[(gvk["group"], gvk["version"], gvk["kind"])] = name
    return definitions, kinds, shared


def names() -> list[str]:
    return sorted(_encoded()[0])


def kinds() -> list[Gvk]:
    return sorted(_encoded()[1])


def name_of(group: str, version: str, kind: str) -> str | None:
    """The definition of a kind, if the release has one."""
    _, by_gvk, shared = _encoded()
    return by_gvk.get((group, version, kind)) or shared.get(kind)


@lru_cache(maxsize=32)
def raw(name: str) -> dict[str, Any]:
    """A definition as the package has it; do not change it."""
    found: dict[str, Any] = orjson.loads(_encoded()[0][name])
    return found


@cache
def facts() -> dict[str, dict[str, dict[str, Any]]]:
    """`enum` and `default` by definition and field; a default here is what Go writes for a field left out."""
    loaded: dict[str, dict[str, dict[str, Any]]] = orjson.loads(Path(__file__).with_name("facts.json").read_bytes())
    return loaded


def json_type(spec: Mapping[str, Any]) -> str:
    """The OpenAPI type; the package adds null to what is optional."""
    found = spec.get("type", "")
    if isinstance(found, list):
        return next((t for t in found if t != "null"), "")
    return str(found)


def referenced(spec: Mapping[str, Any]) -> str:
    """The definition that a property refers to, or nothing."""
    return str(spec.get("$ref", "")).removeprefix(PREFIX)
