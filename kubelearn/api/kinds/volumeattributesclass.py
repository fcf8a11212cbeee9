"""VolumeAttributesClass (storage.k8s.io/v1)."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, text_at
from kubelearn.api.kinds._errors import Errors, forbidden, required
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses", "volumeattributesclass", False,
    short_names=("vac",),
)  # fmt: skip


def validate(obj: Obj) -> list[FieldError]:
    out: Errors = [] if r.text(obj, "driverName") else [required("driverName")]
    if not r.string_map(obj, "parameters"):
        out.append(required("parameters", "must contain at least one key/value pair"))
    return out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return [
        forbidden(field, f"updates to {field} are forbidden.")
        for field in ("driverName", "parameters")
        if new.get(field) != old.get(field)
    ]


KIND = Kind(
    RESOURCE,
    (NAME, Column("DriverName", text_at("driverName"), description="The driver that understands the parameters."), AGE),
    validate=validate,
    validate_update=validate_update,
)
