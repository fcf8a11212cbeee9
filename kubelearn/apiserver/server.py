"""The API server's core: from a Request and a User to a Response. Knows neither sockets nor TLS."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping

import orjson
from aiohttp import web

from kubelearn.api import errors, names
from kubelearn.api.errors import ApiError
from kubelearn.api.kind import Kind
from kubelearn.api.rbac import Attributes
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import (
    bearer,
    bootstrap,
    codec,
    discovery,
    extra,
    health,
    keys,
    metrics_group,
    node_restriction,
    pages,
    verbs,
    versions,
    watching,
)
from kubelearn.apiserver.allocators import ServiceAllocator
from kubelearn.apiserver.answers import JSON, as_accepted, json_response, no_such_page
from kubelearn.apiserver.auth import ANONYMOUS, Authenticator, Authorizer, User, component
from kubelearn.apiserver.call import Call, CauseIndex
from kubelearn.apiserver.custom import CustomResources
from kubelearn.apiserver.local import LocalTransport
from kubelearn.apiserver.metrics import Metrics
from kubelearn.apiserver.openapi import OpenApi
from kubelearn.apiserver.policies import Policies
from kubelearn.apiserver.rbac import Rbac
from kubelearn.apiserver.registry import Registry
from kubelearn.apiserver.routing import Route, is_resource
from kubelearn.apiserver.streams import Outbound
from kubelearn.client.transport import Request, Response
from kubelearn.store.interface import KeyValue, Store, StoreError
from kubelearn.trace.gate import Gate

log = logging.getLogger(__name__)

#: etcd's default for a request.
MAX_OBJECT = 3 * 512 * 1024
Dial = Callable[[str, int], tuple[str, int]]
Handler = Callable[[web.Request, User], Awaitable[web.StreamResponse]]


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
        self.registry = Registry(extra.RESOURCES)
        self.openapi = OpenApi(self.registry)
        self.custom = CustomResources(self.registry, self.openapi)
        self.policies = Policies()
        self.services = ServiceAllocator(service_cidr)
        self.event_cache = watching.EventCache()
        self.causes = CauseIndex(store)
        self.usage = metrics_group.Usage()
        self.outbound = Outbound(dial, kubelet_ssl)
        self.metrics = Metrics()
        self.hooks: dict[str, bool] = dict.fromkeys(health.HOOKS, False)
        self.mounts: dict[str, Handler] = {}
        #: By part of the control plane: what is wrong with it, empty if nothing is.
        self.probes: dict[str, Callable[[], str]] = {}
        self.closing = False
        self._cidr = service_cidr

    @property
    def rbac(self) -> Rbac:
        return self.authorizer.rbac

    async def start(self) -> None:
        """Load what is allocated, and create what every cluster has."""
        await self.causes.load()
        await self.rbac.load(self.store)
        await self.custom.load(self.store)
        await self.policies.load(self.store)
        self.hooks["crd-informer-synced"] = True
        kind = self.registry.kinds[("", "v1", "services")]
        found = await self.store.range(keys.prefix(kind.resource))
        self.services.load([codec.decode(kv) for kv in found.items])
        self.hooks["start-service-ip-repair-controllers"] = True
        async for done in bootstrap.objects(self, self._cidr):
            self.hooks[done] = True

    async def close(self) -> None:
        self.closing = True
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

    async def read_all(self, resource: Resource, namespace: str = "") -> list[Obj]:
        """Every object of a resource, of one namespace or of all, for the server's own use."""
        found = await self.store.range(keys.prefix(resource, namespace))
        return [codec.decode(kv) for kv in found.items]

    async def authenticate(self, token: str) -> User | None:
        """The user of a bearer token, None if it is not good."""
        return await bearer.authenticate(self, token)

    def impersonate(self, user: User, headers: Mapping[str, str]) -> User:
        """`kubectl --as`: act as another, if `user` may (headers in lower case). Raises ApiError 403."""
        name = headers.get("impersonate-user", "")
        if not name:
            return user
        for resource, value in [
            ("users", name),
            *(("groups", g) for g in headers.get("impersonate-group", "").split("\n")),
        ]:
            if value:
                self.authorize(user, Attributes("impersonate", "", "", resource, "", "", value))
        groups = [g for g in headers.get("impersonate-group", "").split("\n") if g]
        if name.startswith("system:serviceaccount:") and not groups:
            groups = ["system:serviceaccounts", "system:serviceaccounts:" + name.split(":")[2]]
        everyone = "system:unauthenticated" if name == ANONYMOUS.name else "system:authenticated"
        return User(name, tuple(dict.fromkeys([*groups, everyone])))

    async def put(self, key: str, value: bytes, *, expect: int | None, cause: bytes) -> KeyValue:
        """Write, and remember which trace the new revision belongs to. Raises ApiError for what etcd would not take."""
        if len(value) > MAX_OBJECT:
            raise ApiError(500, "", "etcdserver: request is too large")
        kv = await self.store.put(key, value, expect=expect, cause=cause)
        self._written(kv)
        return kv

    async def delete(self, key: str, *, expect: int | None, cause: bytes) -> KeyValue | None:
        kv = await self.store.delete(key, expect=expect, cause=cause)
        if kv is not None:
            self._written(kv, gone=True)
        return kv

    def _written(self, kv: KeyValue, *, gone: bool = False) -> None:
        """Tell what is kept in memory of the store."""
        self.causes.add(kv)
        self.rbac.changed(kv, gone=gone)
        self.custom.changed(kv, gone=gone)
        self.policies.changed(kv, gone=gone)

    async def handle(self, request: Request, user: User) -> Response:
        """Never raises for what a client did; a Status answers instead."""
        route = Route.of(request) if is_resource(request.path) else None
        with self.metrics.measured(request, route) as measured:
            answer = await self._answered(request, route, user)
            measured.status = answer.status
        return as_accepted(request, answer) if request.path.startswith("/api") else answer

    async def _answered(self, request: Request, route: Route | None, user: User) -> Response:
        try:
            return await self._handle(request, route, user)
        except ApiError as error:
            return Response(error.code, {**JSON, **error.headers}, orjson.dumps(error.status()))
        except StoreError as error:
            unavailable = errors.service_unavailable(str(error))
            return Response(503, JSON, orjson.dumps(unavailable.status()))
        except Exception as error:
            log.exception("%s %s failed", request.method, request.path)
            return Response(500, JSON, orjson.dumps(errors.internal(repr(error)).status()))

    async def _handle(self, request: Request, route: Route | None, user: User) -> Response:
        path = request.path
        if route is None:
            self.authorize(
                user, Attributes("get" if request.method in ("GET", "HEAD") else request.method.lower(), path)
            )
            answer = await pages.answer(self, request)
            if answer is not None:
                return answer
            return no_such_page()
        if not route.plural:
            self.authorize(user, Attributes("get", path))
            found = discovery.resources(self.registry, route.group, route.version)
            if found is None:
                return no_such_page()
            return json_response(found)
        self.authorize(user, route.attributes())
        actor = component(user, request.headers.get("user-agent", ""))
        if actor:
            self.gate.register(actor)
        besides = self.registry.extra.get((route.group, route.version, route.plural))
        if besides is not None:
            return await extra.handle(self, request, besides, route, user)
        kind = self.registry.find(route.group, route.version, route.plural)
        if kind is None:
            if route.group not in self.registry.group_versions():
                return no_such_page()
            raise _no_such_resource()
        version, kind = kind, self.registry.stored(kind)
        if version is not kind:
            request = versions.selecting(request, version)
        dry_run = "All" in request.params("dryRun")
        call = Call(self, request, user, actor, dry_run, version=version if version is not kind else None)
        if node_restriction.GROUP in user.groups:
            await node_restriction.check(call, kind, route)
        answer = await self._resource(call, kind, route)
        if call.version is not None:
            answer = versions.answer(answer, kind, call.version)
        if call.warnings:
            # One header line a warning; the edge splits what is joined here.
            joined = "\n".join('299 - "' + w.replace("\\", "\\\\").replace('"', '\\"') + '"' for w in call.warnings)
            answer.headers = {**answer.headers, "warning": joined}
        return answer

    def authorize(self, user: User, asked: Attributes) -> None:
        """Raises ApiError 403 unless the user may."""
        if self.authorizer.allows(user, asked) is not None:
            return
        why = self.authorizer.why_not(user, asked)
        if not asked.resource:
            raise ApiError(403, "Forbidden", f"forbidden: {why}", {})
        resource = Resource(asked.group, "", "", asked.resource, "", bool(asked.namespace))
        raise errors.forbidden(resource, asked.name, why)

    async def _resource(self, call: Call, kind: Kind, route: Route) -> Response:
        if bool(route.namespace) > kind.resource.namespaced or (
            route.name and kind.resource.namespaced and not route.namespace
        ):
            raise _no_such_resource()
        if problems := names.path_segment(route.name):
            raise errors.bad_request(f'Name parameter invalid: "{route.name}": {";".join(problems)}')
        if call.request.method == "HEAD" and route.subresource != "proxy":
            raise errors.method_not_allowed()
        if route.subresource:
            found = self.registry.subresources.get(route.subresource)
            if found is None or route.subresource not in kind.resource.subresources:
                raise _no_such_resource()
            return await found.handle(call, kind, route)
        if (
            route.verb not in kind.resource.verbs
            or route.verb not in verbs.VERBS
            or (route.verb in ("update", "patch") and not route.name)
            or (route.verb == "create" and route.name)
        ):
            raise errors.method_not_allowed()
        return await verbs.VERBS[route.verb](call, kind, route)


def _no_such_resource() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})
