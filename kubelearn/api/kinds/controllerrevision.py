"""ControllerRevision (apps/v1): the history of StatefulSets and DaemonSets."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, NONE
from kubelearn.api.kinds._errors import immutable, nonnegative, required
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("apps", "v1", "ControllerRevision", "controllerrevisions", "controllerrevision", True)


def default(obj: Obj) -> None:
    r.fill(obj, "revision", 0)


def validate(obj: Obj) -> list[FieldError]:
    out = [] if r.has(obj, "data") else [required("data", "data is mandatory")]
    return out + nonnegative("revision", r.number(obj, "revision"))


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return immutable("data", new.get("data"), old.get("data"))


def _controller(obj: Obj) -> str:
    for owner in r.objects(r.mapping(obj, "metadata"), "ownerReferences"):
        if r.flag(owner, "controller"):
            kind, group = r.text(owner, "kind").lower(), r.text(owner, "apiVersion").rpartition("/")[0]
            return f"{kind}.{group}/{r.text(owner, 'name')}" if group else f"{kind}/{r.text(owner, 'name')}"
    return NONE


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("Controller", _controller, description="Whose history it is part of."),
        Column("Revision", lambda obj: r.count(obj, "revision"), description="Its place in the history."),
        AGE,
    ),
    default,
    validate,
    validate_update,
)
