"""The API server's core: from a Request and a User to a Response. Knows neither sockets nor TLS."""

from __future__ import annotations

import logging
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from kubelearn.api import errors
from kubelearn.api.errors import ApiError
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj, Resource
from kubelearn.api.table import partial_metadata
from kubelearn.apiserver import (
    codec,
    deletion,
    discovery,
    health,
    keys,
    kubelearn_group,
    rest,
    shapes,
    subresources,
    watching,
)
from kubelearn.apiserver.allocators import ServiceAllocator
from kubelearn.apiserver.auth import Attributes, Authenticator, Authorizer, User, component
from kubelearn.apiserver.local import LocalTransport
from kubelearn.apiserver.openapi import OpenApi
from kubelearn.apiserver.registry import Registry
from kubelearn.apiserver.streams import Outbound
from kubelearn.client.transport import Request, Response
from kubelearn.store.interface import KeyValue, Store, StoreError
from kubelearn.trace.cause import Cause, from_headers, new_trace_id
from kubelearn.trace.gate import Gate

log = logging.getLogger(__name__)

Dial = Callable[[str, int], tuple[str, int]]
Handler = Callable[[web.Request, User], Awaitable[web.StreamResponse]]
_JSON = {"content-type": "application/json"}


@dataclass(slots=True)
class Call:
    """One request on its way: who, what, and what it will say beside its answer."""

    server: ApiServer
    request: Request
    user: User
    actor: str
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)

    def warn(self, texts: list[str]) -> None:
        self.warnings += [t for t in texts if t not in self.warnings]

    def cause(self, verb: str) -> bytes:
        """The encoded cause of a write by this request."""
        acting = from_headers(self.request.headers)
        command = acting.command or self.request.headers.get("kubectl-command", "")
        parent = self.server.causes.get(acting.revision)
        trace_id = parent or acting.trace_id or new_trace_id()
        actor = self.actor or self.user.name
        span = secrets.token_hex(8)
        return Cause(trace_id, span, acting.revision, actor, verb, time.time(), command, acting.note).encode()


class CauseIndex:
    """The trace that each revision belongs to, so that whoever acts on a revision joins its trace."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, str] = {}

    def get(self, revision: int) -> str:
        return self._known.get(revision, "")

    def add(self, kv: KeyValue) -> None:
        found = Cause.decode(kv.cause)
        if found is not None:
            self._known[kv.mod_revision] = found.trace_id
            if len(self._known) > 20_000:
                for old in list(self._known)[:5_000]:
                    del self._known[old]

    async def load(self) -> None:
        for event in await self._store.history("/registry/"):
            self.add(event.kv)


class ApiServer:
    """`start` before the first request, `close` after the last."""

    def __init__(
        self,
        store: Store,
        gate: Gate,
        *,
        authenticator: Authenticator,
        authorizer: Authorizer,
        dial: Dial = lambda ip, port: (ip, port),
        kubelet_ssl: ssl.SSLContext | None = None,
        service_cidr: str = "10.96.0.0/16",
    ) -> None:
        self.store, self.gate = store, gate
        gate.head = lambda: store.revision
        self.authenticator, self.authorizer = authenticator, authorizer
        self.dial, self.kubelet_ssl = dial, kubelet_ssl
        self.registry = Registry(kubelearn_group.RESOURCES)
        self.openapi = OpenApi(self.registry.resources)
        self.services = ServiceAllocator(service_cidr)
        self.event_cache = watching.EventCache()
        self.causes = CauseIndex(store)
        self.outbound = Outbound(dial, kubelet_ssl)
        self.mounts: dict[str, Handler] = {}
        self._cidr = service_cidr

    async def start(self) -> None:
        """Load what is allocated, and create what every cluster has."""
        await self.causes.load()
        kind = self.registry.kinds[("", "v1", "services")]
        found = await self.store.range(keys.prefix(kind.resource))
        self.services.load([codec.decode(kv) for kv in found.items])
        await health.bootstrap(self, self._cidr)

    async def close(self) -> None:
        await self.outbound.close()

    def mount(self, prefix: str, handler: Handler) -> None:
        """Give the paths under `prefix` to another handler, behind this server's authentication."""
        self.mounts[prefix] = handler

    def local(self, user: User, user_agent: str) -> LocalTransport:
        """The in-process transport for a component."""
        return LocalTransport(self, user, user_agent)

    async def read(self, resource: Resource, namespace: str, name: str) -> Obj:
        """One object, for the server's own use; raises ApiError 404."""
        kv = await self.store.get(keys.key(resource, namespace, name))
        if kv is None:
            raise errors.not_found(resource, name)
        return codec.decode(kv)

    async def put(self, key: str, value: bytes, *, expect: int | None, cause: bytes) -> KeyValue:
        """Write, and remember which trace the new revision belongs to."""
        kv = await self.store.put(key, value, expect=expect, cause=cause)
        self.causes.add(kv)
        return kv

    async def delete(self, key: str, *, expect: int | None, cause: bytes) -> KeyValue | None:
        kv = await self.store.delete(key, expect=expect, cause=cause)
        if kv is not None:
            self.causes.add(kv)
        return kv

    async def handle(self, request: Request, user: User) -> Response:
        """Never raises for what a client did; a Status answers instead."""
        try:
            return await self._handle(request, user)
        except ApiError as error:
            return Response(error.code, {**_JSON, **error.headers}, orjson.dumps(error.status()))
        except StoreError as error:
            unavailable = errors.service_unavailable(str(error))
            return Response(503, _JSON, orjson.dumps(unavailable.status()))

    async def _handle(self, request: Request, user: User) -> Response:
        path = request.path
        if not path.startswith(("/api/", "/apis/")) or path.count("/") < 3:
            self.authorize(
                user, Attributes("get" if request.method in ("GET", "HEAD") else request.method.lower(), path)
            )
            answer = self._outside(request)
            if answer is not None:
                return answer
            return Response(404, {"content-type": "text/plain; charset=utf-8"}, b"404 page not found\n")
        route = Route.of(request)
        if not route.plural:
            self.authorize(user, Attributes("get", path))
            found = discovery.resources(self.registry, route.group, route.version)
            if found is None:
                return Response(404, {"content-type": "text/plain; charset=utf-8"}, b"404 page not found\n")
            return json_response(found)
        self.authorize(user, route.attributes())
        actor = component(user, request.headers.get("user-agent", ""))
        if actor:
            self.gate.register(actor)
        extra = self.registry.extra.get((route.group, route.version, route.plural))
        if extra is not None:
            return await kubelearn_group.handle(self, request, extra, route.name, route.subresource, user)
        kind = self.registry.find(route.group, route.version, route.plural)
        if kind is None:
            if route.group not in self.registry.group_versions():
                return Response(404, {"content-type": "text/plain; charset=utf-8"}, b"404 page not found\n")
            raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
        dry_run = "All" in request.params("dryRun")
        call = Call(self, request, user, actor, dry_run)
        answer = await self._resource(call, kind, route)
        if call.warnings:
            # One header line a warning; the edge splits what is joined here.
            joined = "\n".join('299 - "' + w.replace("\\", "\\\\").replace('"', '\\"') + '"' for w in call.warnings)
            answer.headers = {**answer.headers, "warning": joined}
        return answer

    def authorize(self, user: User, asked: Attributes) -> None:
        """Raises ApiError 403 unless the user may."""
        if self.authorizer.allows(user, asked):
            return
        why = self.authorizer.why_not(user, asked)
        if not asked.resource:
            raise ApiError(403, "Forbidden", f"forbidden: {why}", {})
        resource = Resource(asked.group, "", "", asked.resource, "", bool(asked.namespace))
        raise errors.forbidden(resource, asked.name, why)

    def _outside(self, request: Request) -> Response | None:
        """Paths that are no resources: health, version, discovery, OpenAPI."""
        path, accept = request.path.rstrip("/") or "/", request.headers.get("accept", "")
        if (answer := health.answer(self, path, request)) is not None:
            return answer
        if path in ("/api", "/apis"):
            if discovery.wants_aggregated(accept):
                found = discovery.aggregated(self.registry, core=path == "/api")
                return Response(200, {"content-type": discovery.AGGREGATED}, orjson.dumps(found))
            return json_response(discovery.groups(self.registry) if path == "/apis" else discovery.api_versions(""))
        if path.startswith("/apis/"):
            group = discovery.group(self.registry, path.removeprefix("/apis/"))
            return json_response(group) if group else None
        if path == "/openapi/v2":
            body, content = self.openapi.v2(accept)
            return Response(200, {"content-type": content}, body)
        if path == "/openapi/v3":
            return Response(200, _JSON, self.openapi.v3_index())
        if path.startswith("/openapi/v3/"):
            document = self.openapi.v3(path.removeprefix("/openapi/v3/"))
            return Response(200, _JSON, document) if document is not None else None
        return None

    async def _resource(self, call: Call, kind: Kind, route: Route) -> Response:
        if route.subresource and route.subresource not in ("status", "finalize"):
            return await subresources.handle(call, kind, route)
        if route.subresource and route.subresource not in kind.resource.subresources:
            raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
        verb = route.verb
        if verb not in kind.resource.verbs and not route.subresource:
            raise errors.method_not_allowed()
        handler = _VERBS.get(verb)
        if handler is None:
            raise errors.method_not_allowed()
        return await handler(call, kind, route)


@dataclass(frozen=True, slots=True)
class Route:
    """A resource's path taken apart. `verb` is the API verb, `watch` and `deletecollection` included."""

    group: str
    version: str
    namespace: str
    plural: str
    name: str
    subresource: str
    rest: str
    verb: str

    @classmethod
    def of(cls, request: Request) -> Route:
        parts = [p for p in request.path.split("/") if p]
        group, version, *parts = ("", *parts[1:]) if parts[0] == "api" else parts[1:]
        namespace = ""
        if len(parts) >= 3 and parts[0] == "namespaces" and parts[2] not in ("status", "finalize"):
            namespace, parts = parts[1], parts[2:]
        plural, name, subresource, *rest = [*parts, "", "", ""][: max(3, len(parts))]
        return cls(group, version, namespace, plural, name, subresource, "/".join(rest), _verb(request, name))

    def attributes(self) -> Attributes:
        return Attributes(self.verb, "", self.group, self.plural, self.subresource, self.namespace, self.name)


def _verb(request: Request, name: str) -> str:
    if request.method in ("GET", "HEAD"):
        if request.param("watch") in ("1", "true"):
            return "watch"
        return "get" if name else "list"
    if request.method == "DELETE":
        return "delete" if name else "deletecollection"
    return {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(request.method, request.method.lower())


def json_response(obj: Any, status: int = 200) -> Response:
    return Response(status, _JSON, orjson.dumps(obj))


def object_response(call: Call, kind: Kind, kv: KeyValue, status: int = 200) -> Response:
    """One object in the form that the client accepts."""
    form = shapes.wanted(call.request)
    if not form:
        data = codec.splice(kv) if kv.mod_revision else kv.value.replace(b"\x00", b"", 1)
        if "application/yaml" in call.request.headers.get("accept", "").partition(",")[0]:
            import yaml

            text = yaml.dump(orjson.loads(data), Dumper=yaml.CSafeDumper, sort_keys=True)
            return Response(status, {"content-type": "application/yaml"}, text.encode())
        return Response(status, _JSON, data)
    obj = codec.decode(kv)
    if form == "Table":
        about = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        return json_response(shapes.as_table(call.request, kind, [obj], about), status)
    return json_response(partial_metadata(obj), status)


async def _get(call: Call, kind: Kind, route: Route) -> Response:
    return object_response(call, kind, await rest.read(call.server, kind, route.namespace, route.name))


async def _list(call: Call, kind: Kind, route: Route) -> Response:
    form = shapes.wanted(call.request)
    items, about = await rest.list_objects(call.server, call.request, kind, route.namespace, call.actor)
    if not form:
        return Response(200, _JSON, rest.list_body(kind, items, about))
    objs = [codec.decode(kv) for kv in items]
    if form == "Table":
        return json_response(shapes.as_table(call.request, kind, objs, about))
    found = [partial_metadata(o) for o in objs]
    return json_response(
        {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": about, "items": found}
    )


async def _watch(call: Call, kind: Kind, route: Route) -> Response:
    shape = shapes.watch_shape(call.request, kind)
    return await watching.watch(call.server, call.request, kind, route.namespace, route.name, call.actor, shape)


async def _create(call: Call, kind: Kind, route: Route) -> Response:
    if kind.resource.namespaced and not route.namespace:
        raise errors.method_not_allowed()
    return object_response(call, kind, await rest.create(call, kind, route.namespace), 201)


async def _update(call: Call, kind: Kind, route: Route) -> Response:
    kv, created = await rest.update(call, kind, route.namespace, route.name, route.subresource)
    return object_response(call, kind, kv, 201 if created else 200)


async def _patch(call: Call, kind: Kind, route: Route) -> Response:
    return object_response(call, kind, await rest.patch(call, kind, route.namespace, route.name, route.subresource))


async def _delete(call: Call, kind: Kind, route: Route) -> Response:
    kv, gone = await deletion.delete(call, kind, route.namespace, route.name, deletion.options(call))
    if gone and kind.resource.plural not in ("pods", "services", "serviceaccounts"):
        return json_response(deletion.success(kind, kv))
    return object_response(call, kind, kv)


async def _delete_collection(call: Call, kind: Kind, route: Route) -> Response:
    items = await deletion.collection(call, kind, route.namespace)
    about = {"resourceVersion": str(call.server.store.revision)}
    return Response(200, _JSON, rest.list_body(kind, items, about))


_VERBS: dict[str, Callable[[Call, Kind, Route], Awaitable[Response]]] = {
    "get": _get,
    "list": _list,
    "watch": _watch,
    "create": _create,
    "update": _update,
    "patch": _patch,
    "delete": _delete,
    "deletecollection": _delete_collection,
}
