"""ConfigMap (core/v1)."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME
from kubelearn.api.kinds._data import MAX_SIZE, decoded_size, frozen
from kubelearn.api.kinds._errors import Errors, all_invalid, invalid, too_long
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("", "v1", "ConfigMap", "configmaps", "configmap", True, short_names=("cm",))


def _count(obj: Obj) -> int:
    return len(r.mapping(obj, "data")) + len(r.mapping(obj, "binaryData"))


def validate(obj: Obj) -> list[FieldError]:
    data, binary = r.string_map(obj, "data"), r.string_map(obj, "binaryData")
    out: Errors = []
    for key in sorted(data):
        out += all_invalid(f"data[{key}]", key, names.config_map_key(key))
        if key in binary:
            out.append(invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
    for key in sorted(binary):
        out += all_invalid(f"binaryData[{key}]", key, names.config_map_key(key))
    size = sum(len(value.encode()) for value in data.values()) + sum(map(decoded_size, binary.values()))
    return [*out, too_long("", MAX_SIZE)] if size > MAX_SIZE else out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return frozen(new, old, "data", "binaryData")


KIND = Kind(
    RESOURCE,
    (NAME, Column("Data", _count, description="Number of keys."), AGE),
    validate=validate,
    validate_update=validate_update,
)
