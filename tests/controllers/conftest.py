"""A small Kubernetes API in memory, and a cluster made of it: what controllers are tested against.

It has what controllers rely on: revisions, conflicts, watches, generations, graceful deletion, finalizers and
propagation, the status subresource, patches by the official schema. The real API server has its own tests.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from support.plane import Plane, plane

from kubelearn.api import errors, meta, patch, schema
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.rest import Client
from kubelearn.client.transport import Request, Response, WebSocket
from kubelearn.controllers import base
from kubelearn.controllers.manager import Manager
from kubelearn.kit import clock
from kubelearn.kit.discover import load
from kubelearn.kit.tasks import Tasks
from kubelearn.trace import cause

_NAMES = (
    "namespace node pod replicaset replicationcontroller deployment service endpointslice endpoints configmap secret"
    " serviceaccount event lease job cronjob statefulset daemonset controllerrevision persistentvolumeclaim"
    " customresourcedefinition"
)


class FakeApi:
    """`send` answers as an API server would; `acting` keeps, per revision, who wrote and on which revision."""

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}
        for name in _NAMES.split():
            kind = load("kubelearn.api.kinds", name, "KIND", Kind)
            self.kinds[kind.resource.group_resource] = kind
        self.objects: dict[tuple[str, str, str], Obj] = {}
        self.revision = 100
        self.log: list[tuple[int, str, str, Obj]] = []
        self.causes: dict[int, tuple[str, cause.Acting]] = {}
        self.changed = asyncio.Condition()
        self.refuse: Callable[[Request], errors.ApiError | None] = lambda _request: None
        self.requests: list[Request] = []
        self.held: set[str] = set()

    def client(self, name: str = "test") -> Client:
        return Client(_Local(self, name))

    async def send(self, request: Request, user: str) -> Response:
        self.requests.append(request)
        try:
            refused = self.refuse(request)
            if refused is not None:
                raise refused
            if request.path in ("/api", "/apis"):
                return _json(self._discovery(request.path == "/api"))
            return await self._route(request, user)
        except errors.ApiError as error:
            return Response(error.code, {}, orjson.dumps(error.status()))

    def _discovery(self, core: bool) -> Obj:
        groups: dict[str, list[Obj]] = {}
        for kind in self.kinds.values():
            res = kind.resource
            if (res.group == "") is core:
                entry = {
                    "resource": res.plural,
                    "responseKind": {"kind": res.kind},
                    "scope": "Namespaced" if res.namespaced else "Cluster",
                    "singularResource": res.singular,
                    "verbs": list(res.verbs),
                    "shortNames": list(res.short_names),
                }
                groups.setdefault(res.group, []).append(entry)
        items = [{"metadata": {"name": g}, "versions": [{"version": "v1", "resources": r}]} for g, r in groups.items()]
        return {"kind": "APIGroupDiscoveryList", "items": items}

    async def _route(self, request: Request, user: str) -> Response:
        parts = request.path.strip("/").split("/")
        group = "" if parts[0] == "api" else parts[1]
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        plural, name, sub = (*rest, "", "")[:3]
        kind = self.kinds[f"{plural}.{group}" if group else plural]
        if request.method == "GET" and not name:
            if request.param("watch"):
                return Response(200, {}, stream=self._watch(kind.resource, namespace, request, user))
            return _json(self._list(kind.resource, namespace))
        body = orjson.loads(request.body) if request.body else {}
        acting = cause.from_headers(request.headers)
        if request.method == "GET":
            return _json(self._get(kind.resource, namespace, name))
        async with self.changed:
            before = self.revision
            answer = self._write(request.method, kind, namespace, name, sub, body, request)
            for number in range(before + 1, self.revision + 1):
                self.causes[number] = (user, acting)
            self.changed.notify_all()
        return _json(answer)

    def _list(self, res: Resource, namespace: str) -> Obj:
        items = [{k: v for k, v in obj.items() if k not in ("kind", "apiVersion")} for obj in self.all(res, namespace)]
        return {"kind": f"{res.kind}List", "metadata": {"resourceVersion": str(self.revision)}, "items": items}

    def all(self, res: Resource, namespace: str = "") -> list[Obj]:
        return [obj for (gr, ns, _), obj in self.objects.items() if gr == res.group_resource and namespace in ("", ns)]

    def _get(self, res: Resource, namespace: str, name: str) -> Obj:
        found = self.objects.get((res.group_resource, namespace, name))
        if found is None:
            raise errors.not_found(res, name)
        return found

    async def _watch(self, res: Resource, namespace: str, request: Request, user: str) -> AsyncIterator[bytes]:
        seen = int(request.param("resourceVersion", "0"))
        while True:
            for revision, event_type, group_resource, obj in list(self.log):
                if revision <= seen or group_resource != res.group_resource:
                    continue
                if namespace and obj["metadata"].get("namespace") != namespace:
                    continue
                while user in self.held:
                    async with self.changed:
                        await self.changed.wait()
                seen = revision
                yield orjson.dumps({"type": event_type, "object": obj}) + b"\n"
            async with self.changed:
                if not any(r > seen and g == res.group_resource for r, _, g, _ in self.log):
                    await self.changed.wait()

    async def release(self, user: str) -> None:
        async with self.changed:
            self.held.discard(user)
            self.changed.notify_all()

    def _store(self, res: Resource, obj: Obj, event_type: str) -> Obj:
        self.revision += 1
        obj = copy.deepcopy(obj)
        obj["metadata"]["resourceVersion"] = str(self.revision)
        key = (res.group_resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        if event_type == "DELETED":
            self.objects.pop(key, None)
        else:
            self.objects[key] = obj
        self.log.append((self.revision, event_type, res.group_resource, obj))
        return obj

    def _write(self, method: str, kind: Kind, namespace: str, name: str, sub: str, body: Any, request: Request) -> Obj:
        res = kind.resource
        if method == "POST":
            return self._create(kind, namespace, body)
        if method == "DELETE" and not name:
            for obj in self.all(res, namespace):
                self._delete(res, obj, body)
            return {"kind": "Status", "status": "Success"}
        old = self._get(res, namespace, name)
        if method == "DELETE":
            return self._delete(res, old, body)
        if method == "PATCH":
            if "strategic" in request.headers["content-type"]:
                made = schema.for_kind(res.group, res.version, res.kind)
                body = patch.strategic_merge(copy.deepcopy(old), body, made)
            else:
                body = patch.merge_patch(copy.deepcopy(old), body)
        return self._update(kind, old, body, sub)

    def _create(self, kind: Kind, namespace: str, obj: Obj) -> Obj:
        res, own = kind.resource, obj["metadata"]
        if res.namespaced:
            own["namespace"] = namespace
            space = self.objects.get(("namespaces", "", namespace))
            if space and "deletionTimestamp" in space["metadata"]:
                error = errors.forbidden(res, own.get("name", ""), "namespace is being terminated")
                error.details = {"causes": [{"reason": "NamespaceTerminating"}]}
                raise error
        if "name" not in own:
            own["name"] = meta.generate_name(own["generateName"])
        if (res.group_resource, namespace, own["name"]) in self.objects:
            raise errors.already_exists(res, own["name"])
        own |= {"uid": meta.new_uid(), "creationTimestamp": clock.rfc3339(clock.utc_now())}
        own["generation"] = 1
        if res.kind == "Namespace":
            obj.setdefault("spec", {})["finalizers"] = ["kubernetes"]
            obj["status"] = {"phase": "Active"}
        kind.default(obj)
        if kind.prepare is not None and res.group == "batch":  # where the selector of a Job comes from
            kind.prepare(obj, None)
        return self._store(res, obj, "ADDED")

    def _update(self, kind: Kind, old: Obj, new: Obj, sub: str) -> Obj:
        res, was = kind.resource, old["metadata"]
        given = new["metadata"].get("resourceVersion")
        if new["metadata"].get("uid", was["uid"]) != was["uid"] or given not in (None, was["resourceVersion"]):
            raise errors.conflict(res, was["name"])
        if sub == "status":
            new = {**copy.deepcopy(old), "metadata": new["metadata"], "status": new.get("status")}
        elif kind.has_status and sub != "finalize":
            new = {**new, "status": old.get("status")}
        kind.default(new)
        new["metadata"]["generation"] = was["generation"] + (new.get("spec") != old.get("spec"))
        new["metadata"] = {**new["metadata"], "resourceVersion": was["resourceVersion"]}
        if new == old:
            return old
        done = "deletionTimestamp" in was and not new["metadata"].get("finalizers")
        if done and res.kind == "Namespace":
            done = not new["spec"].get("finalizers")
        waits = res.kind == "Pod" and new["metadata"].get("deletionGracePeriodSeconds")
        return self._store(res, new, "DELETED" if done and not waits else "MODIFIED")

    def _delete(self, res: Resource, obj: Obj, options: Obj) -> Obj:
        wanted = (options.get("preconditions") or {}).get("uid", obj["metadata"]["uid"])
        if wanted != obj["metadata"]["uid"]:
            raise errors.conflict(res, obj["metadata"]["name"], "uid")
        obj = copy.deepcopy(obj)
        own = obj["metadata"]
        policy = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(options.get("propagationPolicy", ""))
        if policy and policy not in own.get("finalizers", []):
            own["finalizers"] = [*own.get("finalizers", []), policy]
        grace = 0
        if res.kind == "Pod" and obj["spec"].get("nodeName"):
            grace = options.get("gracePeriodSeconds", 30)
        held = own.get("finalizers") or (res.kind == "Namespace" and obj["spec"].get("finalizers"))
        if held or grace:
            own.setdefault("deletionTimestamp", clock.rfc3339(clock.utc_now()))
            own["deletionGracePeriodSeconds"] = grace
            return self._store(res, obj, "MODIFIED")
        self._store(res, obj, "DELETED")
        return {"kind": "Status", "status": "Success"}


class _Local:
    def __init__(self, api: FakeApi, user: str) -> None:
        self._api = api
        self._user = user

    async def send(self, request: Request) -> Response:
        return await self._api.send(request, self._user)

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        raise NotImplementedError

    async def close(self) -> None: ...


def _json(obj: Obj) -> Response:
    return Response(200, {}, orjson.dumps(obj))


class Cluster:
    """The API, a manager, and hands that do what scheduler and kubelets would."""

    def __init__(self, tasks: Tasks) -> None:
        self.api = FakeApi()
        self.client = self.api.client()
        self.tasks = tasks
        self.manager: Manager | None = None

    async def start(self, *names: str, options: base.Options = base.Options()) -> Manager:  # noqa: B008
        from kubelearn.controllers.manager import registry

        chosen = [c for module, c in registry().items() if module.replace("-", "_") in names]
        assert len(chosen) == len(names)
        self.manager = Manager(self.api.client, options, controllers=chosen)
        await self.manager.start(self.tasks)
        await self.settled()
        return self.manager

    async def settled(self, quiet: float = 0.02) -> None:
        """Until nothing is written and no controller works."""
        assert self.manager is not None
        while True:
            before = self.api.revision
            await self.manager.settled(quiet)
            if self.api.revision == before:
                return

    async def until(self, true: Callable[[], Any], seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.01)

    async def namespace(self, name: str = "default") -> None:
        await self.client.create(base.NAMESPACES, {"metadata": {"name": name}})

    def all(self, res: Resource, namespace: str = "") -> list[Obj]:
        return self.api.all(res, namespace)

    def get(self, res: Resource, name: str, namespace: str = "default") -> Obj:
        return self.api._get(res, namespace if res.namespaced else "", name)

    def pods(self, namespace: str = "") -> list[Obj]:
        return self.all(base.PODS, namespace)

    def active(self) -> list[Obj]:
        return [p for p in self.pods() if "deletionTimestamp" not in p["metadata"]]

    def messages(self) -> list[str]:
        res = Resource("", "v1", "Event", "events", "event", True)
        return [e["message"] for e in self.all(res)]

    async def run_pods(self, node: str = "worker-1", *, ready: bool = True) -> None:
        """Bind and start pods that are not, and confirm the end of those that terminate."""
        for number, pod in enumerate(self.pods()):
            own = pod["metadata"]
            if "deletionTimestamp" in own:
                options = {"gracePeriodSeconds": 0}
                await self.client.delete(base.PODS, own["name"], own["namespace"], options=options)
            elif base_ready(pod) is not ready:
                await self.client.patch(base.PODS, own["name"], own["namespace"], {"spec": {"nodeName": node}})
                at = clock.rfc3339(clock.utc_now())
                value = "True" if ready else "False"
                condition = {"type": "Ready", "status": value, "lastTransitionTime": at}
                status = {"phase": "Running", "podIP": f"10.1.0.{number + 2}", "conditions": [condition]}
                await self.client.patch(
                    base.PODS, own["name"], own["namespace"], {"status": status}, subresource="status"
                )


def base_ready(pod: Obj) -> bool:
    from kubelearn.controllers import _pods

    return _pods.ready(pod)


@pytest.fixture
async def cluster(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Cluster]:
    failures: list[BaseException] = []
    async with Tasks("test", lambda _name, error: failures.append(error)) as tasks:
        made = Cluster(tasks)
        await made.namespace()
        yield made
    assert not failures
    assert not [r for r in caplog.records if r.exc_info]


@pytest.fixture(name="plane")
async def _plane() -> AsyncIterator[Plane]:
    async with plane() as made:
        yield made
