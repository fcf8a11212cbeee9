"""The glass box as an API group, kubelearn.dev/v1alpha1: recorded causes (`spans`) and the gate (`gates`).

Spans are the store's own history read as causes: there is no second record. Gates are made by being seen.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import orjson

from kubelearn.api import errors, patch, selectors, table
from kubelearn.api.kind import Column
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import bodies, keys, shapes
from kubelearn.apiserver.auth import User
from kubelearn.client.transport import Request, Response
from kubelearn.store.interface import Compacted, StoreEvent
from kubelearn.trace.chain import API_VERSION, Span, span_of, to_object

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

_GROUP, _VERSION = "kubelearn.dev", "v1alpha1"
SPANS = Resource(_GROUP, _VERSION, "Span", "spans", "span", False, verbs=("get", "list", "watch"))
GATES = Resource(
    _GROUP, _VERSION, "Gate", "gates", "gate", False, verbs=("get", "list", "patch", "watch"), subresources=("step",)
)
RESOURCES = (SPANS, GATES)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "spans": (
        Column("Revision", lambda o: o["spec"]["revision"], "integer"),
        Column("Actor", lambda o: o["spec"]["actor"]),
        Column("Object", lambda o: f"{o['spec']['object']['resource']}/{o['spec']['object']['name']}"),
        Column("Summary", lambda o: o["spec"]["summary"]),
        Column("Age", lambda o: table.age(o["metadata"]["creationTimestamp"])),
    ),
    "gates": (
        Column("Name", lambda o: o["metadata"]["name"]),
        Column("Paused", lambda o: str(o["spec"]["paused"]).lower()),
        Column("Waiting", lambda o: len(o["status"]["waiting"]), "integer"),
        Column("Next", lambda o: _event_text(o["status"]["waiting"])),
    ),
}
_QUIET = "leases.coordination.k8s.io"
_NEWEST = 10_000


def _event_text(waiting: list[Obj]) -> str:
    first = waiting[0] if waiting else None
    return f"{first['resource']} {first['name']} {first['type']}" if first else ""


async def handle(
    server: ApiServer, request: Request, resource: Resource, name: str, subresource: str, user: User
) -> Response:
    """Raises ApiError."""
    if resource is SPANS:
        return await _spans(server, request, name)
    if subresource == "step":
        return await _step(server, request, name)
    if subresource:
        raise errors.ApiError(404, "NotFound", "the server could not find the requested resource", {})
    if request.method == "PATCH":
        return _patch(server, request, name)
    if request.method not in ("GET", "HEAD"):
        raise errors.method_not_allowed()
    if request.param("watch") in ("1", "true"):
        return _stream(request, SPANS if resource is SPANS else GATES, _gate_changes(server, name))
    if name:
        return _one(request, GATES, _gate(server, name))
    return _list(server, request, GATES, [_gate(server, c) for c in server.gate.components()])


# ---- gates


def _gate(server: ApiServer, name: str) -> Obj:
    gate = server.gate
    if name not in gate.components():
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
        raise errors.bad_request("the patch must be an object")
    server.gate.register(name)
    wanted = patch.merge_patch(_gate(server, name), body).get("spec", {}).get("paused")
    if not isinstance(wanted, bool):
        raise errors.bad_request("spec.paused must be true or false")
    (server.gate.pause if wanted else server.gate.resume)(name)
    return _one(request, GATES, _gate(server, name))


async def _step(server: ApiServer, request: Request, name: str) -> Response:
    """Deliver the next `count` events; the answer's `status.delivered` counts since the pause."""
    if request.method != "POST":
        raise errors.method_not_allowed()
    _gate(server, name)
    body = bodies.parse(request) if request.body else {}
    count = body.get("count", 1) if isinstance(body, dict) else None
    if not isinstance(count, int) or count < 1:
        raise errors.bad_request("count must be a positive integer")
    delivered = server.gate.step(name, count)
    answer = _gate(server, name)
    answer["status"]["stepped"] = delivered
    return _one(request, GATES, answer)


async def _gate_changes(server: ApiServer, only: str) -> AsyncIterator[tuple[str, Obj]]:
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
    chosen = _Chosen(request)
    if request.param("watch") in ("1", "true"):
        start = request.param("resourceVersion")
        return _stream(request, SPANS, _span_changes(server, chosen, int(start) if start.isdigit() else 0))
    if name:
        found = await server.store.history("/registry/", int(name) if name.isdigit() else 0, 1)
        if not name.isdigit() or not found or found[0].revision != int(name):
            raise errors.not_found(SPANS, name)
        return _one(request, SPANS, to_object(span_of(found[0], keys.parse)))
    spans = [s for e in await server.store.history("/registry/", chosen.since) if (s := chosen.span(e))]
    newest = spans[-int(request.param("limit") or _NEWEST) :]
    return _list(server, request, SPANS, [to_object(s) for s in newest])


class _Chosen:
    """The spans asked for: `object=pods/default/web`, `trace=ID`, `since=REVISION`."""

    def __init__(self, request: Request) -> None:
        try:
            fields = selectors.parse_field_selector(request.param("fieldSelector"))
        except ValueError as error:
            raise errors.bad_request(str(error)) from error
        for requirement in fields.requirements:
            if requirement.field not in ("object", "trace", "since") or requirement.operator != "=":
                raise errors.bad_request(f"field label not supported: {requirement.field}")
        self._object = fields.exact("object")
        self._trace = fields.exact("trace")
        since = fields.exact("since") or "0"
        self.since = int(since) if since.isdigit() else 0

    def span(self, event: StoreEvent) -> Span | None:
        group_resource, namespace, name = keys.parse(event.kv.key)
        if group_resource == _QUIET:
            return None
        if self._object is not None and self._object != f"{group_resource}/{namespace}/{name}":
            return None
        span = span_of(event, keys.parse)
        return span if self._trace in (None, span.cause.trace_id) else None


async def _span_changes(server: ApiServer, chosen: _Chosen, start: int) -> AsyncIterator[tuple[str, Obj]]:
    try:
        watch = server.store.watch("/registry/", (start or server.store.revision) + 1)
    except Compacted as error:
        raise errors.expired(f"too old resource version: {start} ({error.oldest})") from error
    try:
        async for event in watch:
            if (span := chosen.span(event)) is not None:
                yield "ADDED", to_object(span)
    finally:
        watch.cancel()


# ---- answers


def _one(request: Request, resource: Resource, obj: Obj) -> Response:
    if shapes.wanted(request) == "Table":
        return _json(table.render(COLUMNS[resource.plural], [obj]))
    return _json(obj)


def _list(server: ApiServer, request: Request, resource: Resource, items: list[Obj]) -> Response:
    about = {"resourceVersion": str(server.store.revision)}
    if shapes.wanted(request) == "Table":
        return _json(table.render(COLUMNS[resource.plural], items, metadata=about))
    return _json({"kind": f"{resource.kind}List", "apiVersion": API_VERSION, "metadata": about, "items": items})


def _stream(request: Request, resource: Resource, changes: AsyncIterator[tuple[str, Obj]]) -> Response:
    as_table = shapes.wanted(request) == "Table"

    async def lines() -> AsyncIterator[bytes]:
        first = True
        async with contextlib.aclosing(changes) as found:  # type: ignore[type-var]
            async for kind, obj in found:
                shown: Any = obj
                if as_table:
                    shown = table.render(COLUMNS[resource.plural], [obj], with_definitions=first)
                    first = False
                yield orjson.dumps({"type": kind, "object": shown}) + b"\n"

    return Response(200, {"content-type": "application/json"}, stream=lines())


def _json(obj: Obj) -> Response:
    return Response(200, {"content-type": "application/json"}, orjson.dumps(obj))
