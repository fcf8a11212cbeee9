"""What a controller's file exports, and what its reconcile function is given.

A controller never waits for its own writes to come back on a watch: the context's `create`, `update`, `patch` and
`delete` tell the informers, whose next look shows them.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.events import EventRecorder
from kubelearn.client.informer import Indexer, Informer
from kubelearn.client.rest import MERGE_PATCH, Client, typed
from kubelearn.client.workqueue import WorkQueue
from kubelearn.kit import clock
from kubelearn.kit.tasks import Tasks
from kubelearn.trace import cause


@dataclass(frozen=True, slots=True)
class Options:
    """What a whole manager is told. Seconds, with Kubernetes' defaults; a short lesson may set less.

    `legacy_token` signs a token for an account that lives in the Secret of a name.
    `node_grace` None means: as long as the node's own Lease says (40 s as a kubelet sets it)."""

    root_ca: str = ""
    legacy_token: Callable[[Obj, str], str] | None = None
    cluster_cidr: str = ""
    node_grace: float | None = None
    node_startup_grace: float = 60.0
    pod_gc_quarantine: float = 40.0
    namespace_retry: float = 1.0


@dataclass(slots=True)
class ControllerContext:
    """One controller's own client (its identity), informers by group resource, queue, and what `setup` put aside."""

    name: str
    client: Client
    recorder: EventRecorder
    queue: WorkQueue
    tasks: Tasks
    options: Options
    clock: clock.Clock = clock.utc_now
    informers: dict[str, Informer] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    def informer(self, resource: Resource) -> Informer:
        return self.informers[resource.group_resource]

    def now(self) -> datetime:
        return self.clock()

    def timestamp(self) -> str:
        return clock.rfc3339(self.clock())

    def requeue_after(self, key: str, seconds: float) -> None:
        """Come back to the key, still for the present cause."""
        self.queue.add_after(key, seconds, cause.current())

    async def create(self, resource: Resource, obj: Obj) -> Obj:
        return self._written(resource, await self.client.create(resource, obj))

    async def update(self, resource: Resource, obj: Obj, subresource: str = "") -> Obj:
        return self._written(resource, await self.client.update(resource, obj, subresource=subresource))

    async def patch(
        self,
        resource: Resource,
        obj: Obj,
        patch: Obj,
        content_type: str = MERGE_PATCH,
        subresource: str = "",
    ) -> Obj:
        name, namespace = obj["metadata"]["name"], obj["metadata"].get("namespace", "")
        answer = await self.client.patch(resource, name, namespace, patch, content_type, subresource=subresource)
        return self._written(resource, answer)

    async def delete(self, resource: Resource, obj: Obj, options: Obj | None = None) -> bool:
        """False when it was gone already."""
        name, namespace = obj["metadata"]["name"], obj["metadata"].get("namespace", "")
        informer = self.informers.get(resource.group_resource)
        try:
            answer = await self.client.delete(resource, name, namespace, options=options)
        except ApiError as error:
            if error.code != 404:
                raise
            return False
        if informer is not None:
            if answer.get("kind") == resource.kind:
                informer.written(answer)
            else:
                informer.removed(obj)
        return True

    def _written(self, resource: Resource, answer: Obj) -> Obj:
        informer = self.informers.get(resource.group_resource)
        if informer is not None:
            informer.written(answer)
        return typed(resource, answer)


#: (context, ADDED | MODIFIED | DELETED, object before or None, object now) -> keys to reconcile
Enqueue = Callable[[ControllerContext, str, Obj | None, Obj], Iterable[str]]
Reconcile = Callable[[ControllerContext, str], Awaitable[None]]
Setup = Callable[[ControllerContext], Awaitable[None]]


def own_key(_context: ControllerContext, _type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    """The changed object itself is what is reconciled."""
    return (meta.key(new),)


def controller_key(kind: str) -> Enqueue:
    """The owner of `kind` that controls the changed object, before or after the change."""

    def enqueue(_context: ControllerContext, _type: str, old: Obj | None, new: Obj) -> Iterable[str]:
        keys = set()
        for obj in (old, new):
            ref = meta.controller_of(obj) if obj else None
            if ref and ref["kind"] == kind:
                keys.add(meta.join_key(new["metadata"].get("namespace", ""), ref["name"]))
        return keys

    return enqueue


def no_keys(_context: ControllerContext, _type: str, _old: Obj | None, _new: Obj) -> Iterable[str]:
    """The resource is only looked at."""
    return ()


@dataclass(frozen=True, slots=True)
class Watch:
    """A resource that the controller follows; `indexes` become the informer's."""

    resource: Resource
    enqueue: Enqueue = own_key
    indexes: Mapping[str, Indexer] = field(default_factory=dict)
    namespace: str = ""
    metadata_only: bool = False


@dataclass(frozen=True, slots=True)
class Controller:
    """`name` is the identity it acts as, that of kube-controller-manager's; `source` is whom its events name, if another.
    `setup` runs once all watches are synced, before the first reconcile. `enabled` says whether it can run with these
    options."""

    name: str
    watches: tuple[Watch, ...]
    reconcile: Reconcile
    workers: int = 4
    source: str = ""
    setup: Setup | None = None
    enabled: Callable[[Options], bool] = lambda _options: True


def by_controller_uid(obj: Obj) -> Iterable[str]:
    """Index of objects by the uid of their controller; those without one are under `orphans/NAMESPACE`."""
    ref = meta.controller_of(obj)
    return (ref["uid"] if ref else "orphans/" + obj["metadata"].get("namespace", ""),)


@functools.cache
def _core(kind: str, plural: str, namespaced: bool) -> Resource:
    return Resource("", "v1", kind, plural, plural.removesuffix("s"), namespaced)


PODS = _core("Pod", "pods", True)
NODES = _core("Node", "nodes", False)
NAMESPACES = _core("Namespace", "namespaces", False)
SERVICES = _core("Service", "services", True)
ENDPOINTS = Resource("", "v1", "Endpoints", "endpoints", "endpoints", True)
CONFIGMAPS = _core("ConfigMap", "configmaps", True)
SERVICEACCOUNTS = _core("ServiceAccount", "serviceaccounts", True)
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", "deployment", True)
REPLICASETS = Resource("apps", "v1", "ReplicaSet", "replicasets", "replicaset", True)
ENDPOINTSLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", True)
LEASES = Resource("coordination.k8s.io", "v1", "Lease", "leases", "lease", True)
