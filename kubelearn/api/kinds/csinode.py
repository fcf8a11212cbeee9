"""CSINode (storage.k8s.io/v1): the drivers that a node has."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME
from kubelearn.api.kinds._csi import driver_name
from kubelearn.api.kinds._errors import Errors, duplicate, invalid, nonnegative, required
from kubelearn.api.kinds._selector import label_name
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("storage.k8s.io", "v1", "CSINode", "csinodes", "csinode", False)
_MAX_NODE_ID = 192


def default(obj: Obj) -> None:
    r.ensure(obj, "spec").setdefault("drivers", None)


def _driver(path: str, driver: Obj) -> Errors:
    out = driver_name(f"{path}.name", r.text(driver, "name"))
    identity = r.text(driver, "nodeID")
    if not identity:
        out.append(required(f"{path}.nodeID"))
    if len(identity) > _MAX_NODE_ID:
        out.append(invalid(f"{path}.nodeID", identity, f"must be {_MAX_NODE_ID} characters or less"))
    out += nonnegative(f"{path}.allocatable.count", r.number(r.mapping(driver, "allocatable"), "count"))
    keys = r.strings(driver, "topologyKeys")
    for index, key in enumerate(keys):
        if not key:
            out.append(required(f"{path}.topologyKeys[{index}]"))
        if key in keys[:index]:
            out.append(duplicate(f"{path}.topologyKeys[{index}]", key))
        out += label_name(f"{path}.topologyKeys[{index}]", key)
    return out


def validate(obj: Obj) -> list[FieldError]:
    drivers = r.objects(r.mapping(obj, "spec"), "drivers")
    out: Errors = []
    for index, driver in enumerate(drivers):
        path = f"spec.drivers[{index}]"
        out += _driver(path, driver)
        if r.text(driver, "name") in [r.text(d, "name") for d in drivers[:index]]:
            out.append(duplicate(f"{path}.name", r.text(driver, "name")))
    return out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    """A driver may come, go, and change what it can hold, but not who it is."""
    before = {r.text(d, "name"): d for d in r.objects(r.mapping(old, "spec"), "drivers")}
    out: Errors = []
    for driver in r.objects(r.mapping(new, "spec"), "drivers"):
        was = before.get(r.text(driver, "name"))
        if was and any(was.get(key) != driver.get(key) for key in ("nodeID", "topologyKeys")):
            out.append(invalid("CSINodeDriver", driver, "field is immutable"))
    return out


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("Drivers", lambda obj: len(r.objects(r.mapping(obj, "spec"), "drivers")), "integer",
               description="How many drivers the node has."),
        AGE,
    ),
    default, validate, validate_update,
)  # fmt: skip
