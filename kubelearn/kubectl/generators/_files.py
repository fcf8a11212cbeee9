"""Key-value data from literals, files, folders and env files, for config maps and secrets."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from kubelearn.api.resource import Obj
from kubelearn.kubectl import creating
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers.encode import to_json
from kubelearn.kubectl.verb import Context, Flag, Parsed

APPEND_HASH = Flag("append-hash", kind="bool", help="append a hash of the content to the name")
FLAGS = (
    Flag("from-literal", kind="array", help="KEY=VALUE (repeatable)"),
    Flag(
        "from-file",
        kind="strings",
        help="a file (KEY=PATH to choose the key) or a folder (repeatable)",
        complete="files",
    ),
    Flag("from-env-file", kind="strings", help="a file with KEY=VALUE lines (repeatable)", complete="files"),
    APPEND_HASH,
)
_SPELLED = str.maketrans("013ae", "ghkmt")
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_KEY_HELP = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def collect(ctx: Context, parsed: Parsed, kind: str) -> dict[str, bytes]:
    """All of it, by key. `kind` is `ConfigMap` or `Secret`, for messages."""
    if parsed["from-env-file"] and (parsed["from-literal"] or parsed["from-file"]):
        raise CommandError("from-env-file cannot be combined with from-file or from-literal")
    found: dict[str, bytes] = {}
    pairs = [(k, v.encode()) for k, v in creating.key_values(parsed["from-literal"])]
    for source in parsed["from-file"]:
        pairs += _file(ctx, source)
    for source in parsed["from-env-file"]:
        pairs += _env_file(ctx, source)
    for key, value in pairs:
        if not _KEY.fullmatch(key):
            raise CommandError(f'"{key}" is not a valid key name for a {kind}: {_KEY_HELP}')
        if key in found:
            raise CommandError(
                f'cannot add key "{key}", another key by that name already exists in Data for {kind} "{parsed.args[0]}"'
            )
        found[key] = value
    return found


def hashed(obj: Obj, parsed: Parsed) -> Obj:
    """With --append-hash: the name ends in a hash of the content, in letters that spell nothing.

    Source: k8s.io/kubectl/pkg/util/hash/hash.go."""
    if not parsed["append-hash"]:
        return obj
    name = obj["metadata"]["name"]
    content = {"kind": obj["kind"], "name": name, "data": obj.get("data") or {}}
    if obj["kind"] == "Secret":
        content["type"] = obj.get("type", "")
    elif obj.get("binaryData"):
        content["binaryData"] = obj["binaryData"]
    digest = hashlib.sha256(to_json(content, None).encode()).hexdigest()[:10]
    return {**obj, "metadata": {**obj["metadata"], "name": f"{name}-{digest.translate(_SPELLED)}"}}


def _file(ctx: Context, source: str) -> list[tuple[str, bytes]]:
    key, equals, path = source.partition("=")
    if not equals:
        path, key = source, ""
    elif source.count("=") > 1:
        raise CommandError("key names or file paths cannot contain '='")
    elif not key or not path:
        missing = f"key name for file path {path}" if not key else f"file path for key name {key}"
        raise CommandError(f"{missing} missing")
    place = Path(ctx.cwd) / path
    if place.is_dir():
        if key:
            raise CommandError("cannot give a key name for a directory path")
        return [(p.name, p.read_bytes()) for p in sorted(place.iterdir()) if p.is_file()]
    return [(key or place.name, _read(place, path))]


def _read(place: Path, shown: str) -> bytes:
    try:
        return place.read_bytes()
    except OSError as error:
        raise CommandError(f"error reading {shown}: {(error.strerror or str(error)).lower()}") from error


def _env_file(ctx: Context, source: str) -> list[tuple[str, bytes]]:
    pairs = []
    for line in _read(Path(ctx.cwd) / source, source).decode(errors="replace").splitlines():
        text = line.lstrip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        pairs.append((key, (value if equals else ctx.env.get(key, "")).encode()))
    return pairs
