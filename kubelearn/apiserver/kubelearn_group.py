"""The glass box as an API group, kubelearn.dev/v1alpha1: recorded causes (`spans`) and the gate (`gates`).

Spans are the store's own history read as causes: there is no second record. Gates are made by being seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TYPE_CHECKING, Any

import orjson

from kubelearn.api import errors, patch, selectors, table
from kubelearn.api.kind import Column
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import bodies, keys, shapes
from kubelearn.apiserver.auth import User
from kubelearn.client.transport import Request, Response
from kubelearn.store.interface import Compacted, FutureRevision, StoreEvent
from kubelearn.trace.cause import Cause
from kubelearn.trace.chain import API_VERSION, span_of, to_object
from kubelearn.trace.gate import EVERYONE

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

_GROUP, _VERSION = "kubelearn.dev", "v1alpha1"
SPANS = Resource(_GROUP, _VERSION, "Span", "spans", "span", False, verbs=("get", "list", "watch"))
GATES = Resource(
    _GROUP, _VERSION, "Gate", "gates", "gate", False, verbs=("get", "list", "patch", "watch"), subresources=("step",)
)
RESOURCES = (SPANS, GATES)
_JSON = {"content-type": "application/json"}
COLUMNS: dict[str, tuple[Column, ...]] = {
    "spans": (
        Column("Revision", lambda o: o["spec"]["revision"], "integer"),
        Column("Time", lambda o: o["spec"]["time"][11:23], description="Time of day (UTC) of the write."),
        Column("Actor", lambda o: o["spec"]["actor"]),
        Column("Object", lambda o: _object_text(o["spec"]["object"])),
        Column("Summary", lambda o: o["spec"]["summary"]),
        Column("Command", lambda o: o["spec"]["command"], priority=1),
        Column("Trace", lambda o: o["spec"]["traceID"], priority=1),
    ),
    "gates": (
        Column("Name", lambda o: o["metadata"]["name"], format="name"),
        Column("Paused", lambda o: str(o["spec"]["paused"]).lower()),
        Column("Waiting", lambda o: len(o["status"]["waiting"]), "integer"),
        Column("Next", lambda o: _event_text(o["status"]["waiting"])),
    ),
}
_QUIET = "leases.coordination.k8s.io"
_BATCH = 256
_WATCH_SECONDS = 1800.0
Changes = AsyncGenerator[tuple[str, Obj], None]


def _object_text(about: Obj) -> str:
    """As the field selector `object` takes it: `deployments.apps/default/web`, `nodes/worker-1`."""
    resource = f"{about['resource']}.{about['group']}" if about["group"] else about["resource"]
    return "/".join(part for part in (resource, about["namespace"], about["name"]) if part)


def _event_text(waiting: list[Obj]) -> str:
    if not waiting:
        return ""
    first = waiting[0]
    return f"{first['resource'].partition('.')[0]}/{first['name']} {first['type']} (r{first['revision']})"


async def handle(
    server: ApiServer, request: Request, resource: Resource, name: str, subresource: str, user: User
) -> Response:
    """Raises ApiError."""
    if subresource and subresource not in resource.subresources:
        raise errors.ApiError(404, "NotFound", "the server could not find the requested resource", {})
    if resource is SPANS:
        return await _spans(server, request, name)
    if subresource == "step":
        return _step(server, request, name)
    if request.method == "PATCH" and name:
        return _patch(server, request, name)
    if request.method not in ("GET", "HEAD"):
        raise errors.method_not_allowed()
    only = name or _exact(request, "metadata.name").get("metadata.name", "")
    if _watched(request):
        return _stream(request, GATES, _gate_changes(server, only))
    if name:
        return _one(request, GATES, _gate(server, name))
    found = [_gate(server, c) for c in server.gate.components() if only in ("", c)]
    return _list(request, GATES, found, server.store.revision)


def _watched(request: Request) -> bool:
    return request.param("watch") in ("1", "true")


def _exact(request: Request, *allowed: str) -> dict[str, str]:
    """The field selector as values by field; raises ApiError 400 for what is not served."""
    try:
        fields = selectors.parse_field_selector(request.param("fieldSelector"))
    except ValueError as error:
        raise errors.bad_request(str(error)) from error
    for requirement in fields.requirements:
        if requirement.field not in allowed or requirement.operator not in ("=", "=="):
            raise errors.bad_request(f"field label not supported: {requirement.field}")
    return {r.field: r.value for r in fields.requirements}


def _number(text: str, name: str) -> int:
    """0 for an empty text; raises ApiError 400."""
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise errors.bad_request(f'{name} must be a number, not "{text}"')
    return int(text or 0)


# ---- gates


def _gate(server: ApiServer, name: str) -> Obj:
    """The gate of one component, or of all (`*`)."""
    gate = server.gate
    if name != EVERYONE and name not in gate.components():
        raise errors.not_found(GATES, name)
    waiting = [
        {"revision": p.revision, "type": p.type, "resource": p.resource, "namespace": p.namespace, "name": p.name}
        for p in gate.waiting(name)
    ]
    status: Obj = {"waiting": waiting, "delivered": gate.delivered(name)}
    if (shown := gate.shown_revision(name)) is not None:
        status["shownRevision"] = shown
    return {
        "apiVersion": API_VERSION,
        "kind": "Gate",
        "metadata": {"name": name, "resourceVersion": str(server.store.revision)},
        "spec": {"paused": gate.is_paused(name)},
        "status": status,
    }


def _patch(server: ApiServer, request: Request, name: str) -> Response:
    """`{"spec": {"paused": true}}`; a gate may be paused before its component has been seen."""
    body = bodies.parse(request)
    if not isinstance(body, dict):
        raise errors.bad_request('a gate takes a merge patch: an object such as {"spec": {"paused": true}}')
    known = name == EVERYONE or name in server.gate.components()
    before: Obj = _gate(server, name) if known else {"spec": {"paused": False}}
    spec = patch.merge_patch(before, body).get("spec")
    wanted = spec.get("paused") if isinstance(spec, dict) else None
    if not isinstance(wanted, bool):
        raise errors.bad_request("spec.paused must be true or false")
    if name != EVERYONE:
        server.gate.register(name)
    (server.gate.pause if wanted else server.gate.resume)(name)
    return _one(request, GATES, _gate(server, name))


def _step(server: ApiServer, request: Request, name: str) -> Response:
    """Deliver the next `count` events; `status.stepped` is how many there were, `status.delivered` since the pause."""
    if request.method != "POST":
        raise errors.method_not_allowed()
    _gate(server, name)
    body = bodies.parse(request) if request.body else {}
    count = body.get("count", 1) if isinstance(body, dict) else None
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise errors.bad_request("count must be a positive integer")
    stepped = server.gate.step(name, count)
    answer = _gate(server, name)
    answer["status"]["stepped"] = stepped
    return _one(request, GATES, answer)


async def _gate_changes(server: ApiServer, only: str) -> Changes:
    """All gates first: they have no history to begin from."""
    known: set[str] = set()
    async with contextlib.aclosing(server.gate.subscribe()) as changes:
        async for name in changes:
            if only in ("", name):
                yield ("MODIFIED" if name in known else "ADDED"), _gate(server, name)
                known.add(name)


# ---- spans


async def _spans(server: ApiServer, request: Request, name: str) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise errors.method_not_allowed()
    chosen = _Chosen(request, name)
    if _watched(request):
        start = _number(request.param("resourceVersion"), "resourceVersion") or chosen.since - 1
        return _stream(request, SPANS, _span_changes(server, chosen, start if start > 0 else server.store.revision))
    if name:
        found = (
            await server.store.history(keys.ROOT, int(name), 1)
            if name.isascii() and name.isdigit() and len(name) < 19
            else []
        )
        if not found or found[0].revision != int(name):
            raise errors.not_found(SPANS, name)
        return _one(request, SPANS, to_object(span_of(found[0], keys.parse)))
    limit, revision = _number(request.param("limit"), "limit"), server.store.revision
    return _list(request, SPANS, await _newest(server, chosen, limit), revision)


async def _newest(server: ApiServer, chosen: _Chosen, limit: int) -> list[Obj]:
    """The newest `limit` spans (0: all), oldest first. Others get their turn meanwhile: history is long."""
    found: list[Obj] = []
    for n, event in enumerate(reversed(await server.store.history(keys.ROOT, chosen.since))):
        if limit and len(found) == limit:
            break
        if chosen.takes(event):
            found.append(to_object(span_of(event, keys.parse)))
        if n % _BATCH == _BATCH - 1:
            await asyncio.sleep(0)
    return found[::-1]


class _Chosen:
    """The spans asked for: `object=pods/default/web`, `trace=ID`, `since=REVISION`, `metadata.name=REVISION`."""

    def __init__(self, request: Request, name: str) -> None:
        fields = _exact(request, "object", "trace", "since", "metadata.name")
        self._object = _target(fields["object"]) if "object" in fields else None
        self._trace = fields.get("trace")
        self._name = name or fields.get("metadata.name")
        self.since = _number(fields.get("since", ""), "since")

    def takes(self, event: StoreEvent) -> bool:
        target = keys.parse(event.kv.key)
        if target[0] == _QUIET or self._object not in (None, target):
            return False
        if self._name not in (None, str(event.revision)) or event.revision < self.since:
            return False
        if self._trace is None:
            return True
        cause = Cause.decode(event.kv.cause)
        return cause is not None and cause.trace_id == self._trace


def _target(text: str) -> tuple[str, str, str]:
    """`pods/default/web`; `nodes/worker-1` and `nodes//worker-1` are the same."""
    resource, *rest = text.split("/")
    if len(rest) not in (1, 2):
        raise errors.bad_request(f'object must be RESOURCE/NAMESPACE/NAME or RESOURCE/NAME, not "{text}"')
    return resource, rest[0] if len(rest) == 2 else "", rest[-1]


async def _span_changes(server: ApiServer, chosen: _Chosen, start: int) -> Changes:
    """What is written after revision `start`."""
    try:
        watch = server.store.watch(keys.ROOT, start + 1)
    except (Compacted, FutureRevision):
        yield "ERROR", errors.expired(f"too old resource version: {start}").status()
        return
    try:
        async for event in watch:
            if chosen.takes(event):
                yield "ADDED", to_object(span_of(event, keys.parse))
    except Compacted:
        yield "ERROR", errors.expired("the watch fell too far behind").status()
    finally:
        watch.cancel()


# ---- answers


def _table(request: Request, resource: Resource, items: Iterable[Obj], about: Obj, *, first: bool = True) -> Obj:
    given = request.param("includeObject")
    include: table.Include = "None" if given == "None" else "Object" if given == "Object" else "Metadata"
    return table.render(COLUMNS[resource.plural], items, include=include, metadata=about, with_definitions=first)


def _one(request: Request, resource: Resource, obj: Obj) -> Response:
    form = shapes.wanted(request)
    if form == "Table":
        return _json(_table(request, resource, [obj], {"resourceVersion": obj["metadata"]["resourceVersion"]}))
    return _json(table.partial_metadata(obj) if form else obj)


def _list(request: Request, resource: Resource, items: list[Obj], revision: int) -> Response:
    about: Obj = {"resourceVersion": str(revision)}
    form = shapes.wanted(request)
    if form == "Table":
        return _json(_table(request, resource, items, about))
    listed: Obj = {"kind": f"{resource.kind}List", "apiVersion": API_VERSION, "metadata": about, "items": items}
    if form:
        listed |= {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
        listed["items"] = [table.partial_metadata(o) for o in items]
    return _json(listed)


def _stream(request: Request, resource: Resource, changes: Changes) -> Response:
    seconds = _number(request.param("timeoutSeconds"), "timeoutSeconds") or _WATCH_SECONDS * (1 + random.random())
    return Response(200, _JSON, stream=_lines(changes, seconds, _shape(request, resource)))


def _shape(request: Request, resource: Resource) -> Callable[[Obj, bool], Any]:
    """What a watch makes of an object; the second argument tells the first, whose Table has column definitions."""
    form = shapes.wanted(request)
    if form == "Table":
        return lambda obj, first: _table(
            request, resource, [obj], {"resourceVersion": obj["metadata"]["resourceVersion"]}, first=first
        )
    return lambda obj, _first: table.partial_metadata(obj) if form else obj


async def _lines(changes: Changes, seconds: float, shape: Callable[[Obj, bool], Any]) -> AsyncGenerator[bytes, None]:
    end = asyncio.get_running_loop().time() + seconds
    first = True
    async with contextlib.aclosing(changes):
        while True:
            try:
                async with asyncio.timeout_at(end):
                    kind, obj = await anext(changes)
            except (TimeoutError, StopAsyncIteration):
                return
            shown = obj if kind == "ERROR" else shape(obj, first)
            first = False
            yield orjson.dumps({"type": kind, "object": shown}) + b"\n"


def _json(obj: Obj) -> Response:
    return Response(200, _JSON, orjson.dumps(obj))
