"""Event (core/v1)."""

from __future__ import annotations

from collections.abc import Mapping

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import NAME, age, text_at
from kubelearn.api.kinds._errors import invalid
from kubelearn.api.kinds._fields import with_metadata
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("", "v1", "Event", "events", "event", True, short_names=("ev",))
#: How long events are kept (kube-apiserver's --event-ttl).
TTL_SECONDS = 3600
_TIMES = ("firstTimestamp", "lastTimestamp", "eventTime")


def default(obj: Obj) -> None:
    """Go writes these even when they are empty."""
    r.ensure(obj, "involvedObject")
    r.ensure(obj, "source")
    for key in _TIMES:
        obj.setdefault(key, None)
    for key in ("reportingComponent", "reportingInstance"):
        r.fill(obj, key, "")


def _first(obj: Obj) -> str:
    return age(r.text(obj, "firstTimestamp") or r.text(obj, "eventTime"))


def _last(obj: Obj) -> str:
    if r.has(obj, "series"):
        return age(r.text(r.mapping(obj, "series"), "lastObservedTime"))
    last = r.text(obj, "lastTimestamp")
    return age(last) if last else _first(obj)


def _count(obj: Obj) -> int:
    if r.has(obj, "series"):
        return r.count(r.mapping(obj, "series"), "count")
    return r.count(obj, "count") or 1


def _object(obj: Obj) -> str:
    target = r.mapping(obj, "involvedObject")
    kind, name = r.text(target, "kind").lower(), r.text(target, "name")
    return f"{kind}/{name}" if name else kind


def _source(obj: Obj) -> str:
    source = r.mapping(obj, "source")
    component = r.text(source, "component") or r.text(obj, "reportingComponent")
    host = r.text(source, "host") or r.text(obj, "reportingInstance")
    return ", ".join(part for part in (component, host) if part)


def _message(obj: Obj) -> str:
    return r.text(obj, "message").strip()


COLUMNS = (
    Column("Last Seen", _last, description="When the event was last seen."),
    Column("Type", text_at("type"), description="Normal or Warning."),
    Column("Reason", text_at("reason"), description="A word for machines."),
    Column("Object", _object, description="What the event is about."),
    Column("Subobject", text_at("involvedObject", "fieldPath"), priority=1, description="Which part of it."),
    Column("Source", _source, priority=1, description="Who reports the event."),
    Column("Message", _message, description="A sentence for people."),
    Column("First Seen", _first, priority=1, description="When the event was first seen."),
    Column("Count", _count, priority=1, description="How often it was seen."),
    Column("Name", NAME.cell, format="name", priority=1, description=NAME.description),
)


def validate(obj: Obj) -> list[FieldError]:
    """An event lives in the namespace of what it is about, or in `default` when that has none."""
    own = r.text(r.mapping(obj, "metadata"), "namespace")
    target = r.text(r.mapping(obj, "involvedObject"), "namespace")
    if own == target or (not target and own in ("", "default")):
        return []
    return [invalid("involvedObject.namespace", target, "does not match event.namespace")]


def fields(obj: Obj) -> Mapping[str, str]:
    target = r.mapping(obj, "involvedObject")
    keys = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    out = {f"involvedObject.{key}": r.text(target, key) for key in keys}
    out |= {
        "reason": r.text(obj, "reason"),
        "reportingComponent": r.text(obj, "reportingComponent"),
        "source": r.text(r.mapping(obj, "source"), "component") or r.text(obj, "reportingComponent"),
        "type": r.text(obj, "type"),
    }
    return with_metadata(obj, out)


KIND = Kind(
    RESOURCE, COLUMNS, default, validate, fields=fields, create_on_update=True,
    name_rule="path-segment", ttl_seconds=TTL_SECONDS,
)  # fmt: skip
