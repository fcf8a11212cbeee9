"""ConfigMap (core/v1)."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME
from kubelearn.api.kinds._errors import Errors, all_invalid, forbidden, invalid, too_long
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("", "v1", "ConfigMap", "configmaps", "configmap", True, short_names=("cm",))
MAX_SIZE = 1024 * 1024
IMMUTABLE_TEXT = "field is immutable when `immutable` is set"


def _count(obj: Obj) -> int:
    return len(r.mapping(obj, "data")) + len(r.mapping(obj, "binaryData"))


def _size(encoded: str) -> int:
    """Bytes that a base64 text stands for."""
    return len(encoded) * 3 // 4 - encoded.count("=")


def validate(obj: Obj) -> list[FieldError]:
    data, binary = r.string_map(obj, "data"), r.string_map(obj, "binaryData")
    out: Errors = []
    for key in sorted(data):
        out += all_invalid(f"data[{key}]", key, names.config_map_key(key))
        if key in binary:
            out.append(invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
    for key in sorted(binary):
        out += all_invalid(f"binaryData[{key}]", key, names.config_map_key(key))
    size = sum(len(value.encode()) for value in data.values()) + sum(map(_size, binary.values()))
    return [*out, too_long("", MAX_SIZE)] if size > MAX_SIZE else out


def frozen(new: Obj, old: Obj, *keys: str) -> Errors:
    """What may not change once `immutable` is true; shared with Secret."""
    if not r.flag(old, "immutable"):
        return []
    out = [] if r.flag(new, "immutable") else [forbidden("immutable", IMMUTABLE_TEXT)]
    return out + [forbidden(key, IMMUTABLE_TEXT) for key in keys if r.mapping(new, key) != r.mapping(old, key)]


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return frozen(new, old, "data", "binaryData")


KIND = Kind(
    RESOURCE,
    (NAME, Column("Data", _count, description="Number of keys."), AGE),
    validate=validate,
    validate_update=validate_update,
)
