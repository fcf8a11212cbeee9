"""The chain from a command to a container: stored revisions as spans, and the walk over their causes.

Pure. The API server makes spans of store events and serves them as `spans.kubelearn.dev`; `why`, the timeline and
recordings read them back with `from_object`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from kubelearn.api.resource import Obj
from kubelearn.kit import clock
from kubelearn.trace.cause import Cause
from kubelearn.trace.summary import is_ready, summarize

API_VERSION = "kubelearn.dev/v1alpha1"
Target = tuple[str, str, str]
ParseKey = Callable[[str], Target]


class StoredValue(Protocol):
    """`store.KeyValue`, as far as a span needs it."""

    @property
    def key(self) -> str: ...
    @property
    def value(self) -> bytes: ...
    @property
    def mod_revision(self) -> int: ...
    @property
    def cause(self) -> bytes: ...


class Change(Protocol):
    """`store.StoreEvent`, which this layer may not import."""

    @property
    def type(self) -> str: ...
    @property
    def kv(self) -> StoredValue: ...
    @property
    def previous(self) -> StoredValue | None: ...


@dataclass(frozen=True, slots=True)
class Span:
    """One write. `type` is ADDED, MODIFIED or DELETED; `summary` says what it changed; `ready` marks the write by
    which the object stood ready (a Pod's Ready condition, a Deployment's Available)."""

    revision: int
    cause: Cause
    type: str
    group_resource: str
    namespace: str
    name: str
    summary: str
    ready: bool = False

    @property
    def target(self) -> Target:
        return (self.group_resource, self.namespace, self.name)


def decode(value: bytes) -> Obj:
    """A stored value (one 0x00 where the resourceVersion belongs) as an object without resourceVersion."""
    obj: Obj = orjson.loads(value.replace(b"\x00", b"", 1))
    return obj


def span_of(event: Change, parse_key: ParseKey) -> Span:
    group_resource, namespace, name = parse_key(event.kv.key)
    before = decode(event.previous.value) if event.previous else None
    after = None if event.type == "DELETE" else decode(event.kv.value)
    kind = "DELETED" if after is None else "MODIFIED" if before is not None else "ADDED"
    cause = Cause.decode(event.kv.cause) or Cause("", "", 0, "", "", 0.0)
    ready = after is not None and is_ready(after) and not (before is not None and is_ready(before))
    return Span(event.kv.mod_revision, cause, kind, group_resource, namespace, name, summarize(before, after), ready)


def ancestors(spans: Mapping[int, Span], span: Span) -> list[Span]:
    """From the first known cause down to `span`, both included."""
    path = [span]
    while 0 < span.cause.parent < span.revision and (parent := spans.get(span.cause.parent)) is not None:
        path.append(parent)
        span = parent
    return path[::-1]


def chain(spans: Iterable[Span], target: Target) -> list[Span]:
    """Why the newest object of that name is as it is, in revision order: the writes to it, and what caused each.

    After it once stood ready, only the writes count that began a new story: another command's, and its deletion.
    """
    by_revision = {span.revision: span for span in spans}
    own = [span for _, span in sorted(by_revision.items()) if span.target == target]
    births = [i for i, span in enumerate(own) if span.type == "ADDED"]
    own = own[births[-1] :] if births else own
    found: dict[int, Span] = {}
    stood, stories = False, set[str]()
    for span in own:
        ended = span.type == "DELETED" or "deletionTimestamp" in span.summary
        if stood and not ended and span.cause.trace_id in stories:
            continue
        found.update((s.revision, s) for s in ancestors(by_revision, span))
        stories.add(span.cause.trace_id)
        stood = stood or span.ready
    return [found[revision] for revision in sorted(found)]


def effects(spans: Iterable[Span], revision: int) -> list[Span]:
    """The write of `revision` and everything that followed from it, in revision order."""
    found: dict[int, Span] = {}
    for span in sorted(spans, key=lambda s: s.revision):
        if span.revision == revision or span.cause.parent in found:
            found[span.revision] = span
    return list(found.values())


def to_object(span: Span) -> Obj:
    resource, _, group = span.group_resource.partition(".")
    cause = span.cause
    time = clock.rfc3339_micro(datetime.fromtimestamp(cause.at, UTC))
    about = {"group": group, "resource": resource, "namespace": span.namespace, "name": span.name}
    spec: dict[str, Any] = {
        "revision": span.revision,
        "traceID": cause.trace_id,
        "spanID": cause.span_id,
        "parentRevision": cause.parent,
        "actor": cause.actor,
        "verb": cause.verb,
        "command": cause.command,
        "note": dict(cause.note),
        "time": time,
        "object": about,
        "type": span.type,
        "summary": span.summary,
        "ready": span.ready,
    }
    metadata = {
        "name": str(span.revision),
        "resourceVersion": str(span.revision),
        "creationTimestamp": time[:19] + "Z",
    }
    return {"apiVersion": API_VERSION, "kind": "Span", "metadata": metadata, "spec": spec}


def from_object(obj: Obj) -> Span:
    """Raises KeyError or ValueError if `obj` is no Span."""
    spec = obj["spec"]
    cause = Cause(
        spec["traceID"],
        spec["spanID"],
        spec["parentRevision"],
        spec["actor"],
        spec["verb"],
        clock.parse(spec["time"]).timestamp(),
        spec["command"],
        spec["note"],
    )
    about = spec["object"]
    group_resource = f"{about['resource']}.{about['group']}" if about["group"] else about["resource"]
    return Span(
        spec["revision"],
        cause,
        spec["type"],
        group_resource,
        about["namespace"],
        about["name"],
        spec["summary"],
        spec.get("ready", False),
    )
