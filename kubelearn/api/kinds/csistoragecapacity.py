"""CSIStorageCapacity (storage.k8s.io/v1)."""

from __future__ import annotations

from kubelearn.api import quantity
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import CREATED_AT, NAME
from kubelearn.api.kinds._errors import NEGATIVE, Errors, immutable, invalid, required, subdomain
from kubelearn.api.kinds._podspec_defaults import canonical_quantity
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities", "csistoragecapacity", True
)  # fmt: skip
_AMOUNTS = ("capacity", "maximumVolumeSize")


def default(obj: Obj) -> None:
    for key in _AMOUNTS:
        canonical_quantity(obj, key)


def validate(obj: Obj) -> list[FieldError]:
    out: Errors = []
    if r.has(obj, "nodeTopology"):
        out += label_selector("nodeTopology", r.mapping(obj, "nodeTopology"))
    name = r.text(obj, "storageClassName")
    out += subdomain("storageClassName", name) if name else [required("storageClassName")]
    for key in _AMOUNTS:
        if obj.get(key) is None:
            continue
        try:
            if quantity.parse(str(obj[key])) < 0:
                out.append(invalid(key, str(obj[key]), NEGATIVE))
        except ValueError as error:
            out.append(invalid(key, str(obj[key]), str(error)))
    return out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    out = immutable("nodeTopology", new.get("nodeTopology"), old.get("nodeTopology"))
    return out + immutable("storageClassName", r.text(new, "storageClassName"), r.text(old, "storageClassName"))


KIND = Kind(RESOURCE, (NAME, CREATED_AT), default, validate, validate_update)
