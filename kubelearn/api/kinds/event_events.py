"""Event as events.k8s.io/v1: the same stored object as core's, under newer names."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kind import Conversion, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds import event as core
from kubelearn.api.kinds._errors import Errors, all_invalid, invalid, required
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("events.k8s.io", "v1", "Event", "events", "event", True, short_names=("ev",))
#: Names here, and in core/v1.
_NAMES = {
    "regarding": "involvedObject", "note": "message", "reportingController": "reportingComponent",
    "deprecatedSource": "source", "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp", "deprecatedCount": "count",
}  # fmt: skip
_BACK = {old: new for new, old in _NAMES.items()}
_FIELDS = {f"regarding.{key}": f"involvedObject.{key}" for key in
           ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")}  # fmt: skip
_MAX_WORD, _MAX_NOTE = 128, 1024
_TYPES = ("Normal", "Warning")


def _renamed(obj: Obj, words: dict[str, str], resource: Resource) -> Obj:
    head = {"kind": resource.kind, "apiVersion": resource.api_version}
    return head | {words.get(key, key): value for key, value in obj.items() if key not in head}


def to_stored(obj: Obj) -> Obj:
    return _renamed(obj, _NAMES, core.RESOURCE)


def from_stored(obj: Obj) -> Obj:
    return _renamed(obj, _BACK, RESOURCE)


def _word(path: str, value: str) -> Errors:
    if not value:
        return [required(path)]
    return [] if len(value) <= _MAX_WORD else [invalid(path, "", f"can have at most {_MAX_WORD} characters")]


def validate(obj: Obj) -> list[FieldError]:
    """What core/v1 lets pass; the object is as it is stored."""
    controller = r.text(obj, "reportingComponent")
    out: Errors = [] if controller else [required("reportingController")]
    if controller:
        out += all_invalid("reportingController", controller, names.qualified_name(controller))
    for key in ("reportingInstance", "action", "reason"):
        out += _word(key, r.text(obj, key))
    if len(r.text(obj, "message")) > _MAX_NOTE:
        out.append(invalid("message", "", f"can have at most {_MAX_NOTE} characters"))
    if not r.text(obj, "eventTime"):
        out.append(required("eventTime"))
    if (kind := r.text(obj, "type")) not in _TYPES:
        out.append(invalid("type", "", f"has invalid value: {kind}"))
    source = r.mapping(obj, "source")
    for path, given in (("firstTimestamp", obj.get("firstTimestamp")), ("lastTimestamp", obj.get("lastTimestamp")),
                        ("count", obj.get("count")), ("source", source or None)):  # fmt: skip
        if given:
            out.append(invalid(path, "", "needs to be unset"))
    return out


KIND = Kind(
    RESOURCE,
    core.COLUMNS,
    validate=validate,
    fields=core.fields,
    create_on_update=True,
    name_rule="path-segment",
    ttl_seconds=core.TTL_SECONDS,
    conversion=Conversion(("", "v1"), to_stored, from_stored, _FIELDS | {"reportingController": "reportingComponent"}),
)
