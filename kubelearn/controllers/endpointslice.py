"""EndpointSlices and Endpoints: which addresses stand behind each Service, and which of them are ready.

Both shapes are written by this one controller: kube-proxy and DNS read the slices, people still read the other.
Source: Kubernetes' pkg/controller/endpointslice and pkg/controller/endpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kubelearn.api import meta, selectors
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.controllers import _pods
from kubelearn.controllers._endpoints import Endpoint, Ports, endpoints, port_objects, subsets
from kubelearn.controllers.base import (
    ENDPOINTS,
    ENDPOINTSLICES,
    PODS,
    SERVICES,
    Controller,
    ControllerContext,
    Watch,
)
from kubelearn.trace import cause

MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
HEADLESS = "service.kubernetes.io/headless"
_MAX_PER_SLICE = 100


def _by_namespace(obj: Obj) -> Iterable[str]:
    return (obj["metadata"].get("namespace", ""),)


def _by_service(obj: Obj) -> Iterable[str]:
    labels = obj["metadata"].get("labels") or {}
    if labels.get(MANAGED_BY) != MANAGER or SERVICE_NAME not in labels:
        return ()
    return (f"{obj['metadata']['namespace']}/{labels[SERVICE_NAME]}",)


def _slice_keys(_context: ControllerContext, _type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    return {key for obj in (old, new) if obj for key in _by_service(obj)}


def _endpoints_keys(context: ControllerContext, _type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    service = context.informer(SERVICES).get(new["metadata"]["namespace"], new["metadata"]["name"])
    return (meta.key(new),) if service and service["spec"].get("selector") else ()


def _pod_keys(context: ControllerContext, event_type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    """Services that select the pod, now or before, if anything that an endpoint shows has changed."""
    if event_type == "MODIFIED" and old is not None and _shown(old) == _shown(new):
        return ()
    keys = set()
    for service in context.informer(SERVICES).by_index("namespace", new["metadata"]["namespace"]):
        selector = service["spec"].get("selector")
        matches = selectors.from_labels(selector).matches if selector else lambda _labels: False
        if any(matches(obj["metadata"].get("labels") or {}) for obj in (old, new) if obj):
            keys.add(meta.key(service))
    return keys


def _shown(pod: Obj) -> tuple[Any, ...]:
    return (
        pod.get("status", {}).get("podIP"),
        _pods.finished(pod),
        _pods.ready(pod),
        _pods.terminating(pod),
        pod["spec"].get("nodeName"),
        pod["metadata"].get("labels"),
    )


async def reconcile(context: ControllerContext, key: str) -> None:
    namespace, name = meta.split_key(key)
    service = context.informer(SERVICES).get(namespace, name)
    if service is None or "deletionTimestamp" in service["metadata"]:
        await _forget(context, namespace, name)
        return
    selector = service["spec"].get("selector")
    if not selector or service["spec"].get("type") == "ExternalName":
        return
    matches = selectors.from_labels(selector).matches
    pods = context.informer(PODS).by_index("namespace", namespace)
    found = endpoints(service, (p for p in pods if matches(p["metadata"].get("labels") or {})))
    ready = sum(e.ready for e in found)
    cause.add_note(reconcile=f"{len(found)} endpoints behind {name}, {ready} ready")
    await _sync_slices(context, service, found)
    await _sync_endpoints(context, service, found)


async def _forget(context: ControllerContext, namespace: str, name: str) -> None:
    """The Service is gone: its slices have it as their owner, its Endpoints does not."""
    for found in context.informer(ENDPOINTSLICES).by_index("service", f"{namespace}/{name}"):
        await context.delete(ENDPOINTSLICES, found)
    old = context.informer(ENDPOINTS).get(namespace, name)
    if old is not None and _written_here(old):
        await context.delete(ENDPOINTS, old)


def _written_here(obj: Obj) -> bool:
    return (obj["metadata"].get("labels") or {}).get("endpoints.kubernetes.io/managed-by") == "endpoint-controller"


async def _sync_slices(context: ControllerContext, service: Obj, found: Sequence[Endpoint]) -> None:
    key = meta.key(service)
    existing = [
        s for s in context.informer(ENDPOINTSLICES).by_index("service", key) if "deletionTimestamp" not in s["metadata"]
    ]
    groups: dict[Ports, list[Endpoint]] = {}
    for endpoint in found:
        groups.setdefault(endpoint.ports, []).append(endpoint)
    if not groups:
        groups[()] = []
    spare = sorted(existing, key=lambda s: s["metadata"]["name"])
    for ports, members in sorted(groups.items()):
        objects = port_objects(ports, empty_names=True)
        mine = [s for s in spare if (s.get("ports") or []) == objects] or spare[:1]
        spare = [s for s in spare if s not in mine]
        for current, share in _pack(mine, members):
            await _write_slice(context, service, current, objects, share)
    for surplus in spare:
        await context.delete(ENDPOINTSLICES, surplus)


def _pack(existing: list[Obj], members: list[Endpoint]) -> list[tuple[Obj | None, list[Endpoint]]]:
    """Members by slice: each stays where it is, new ones fill the slices up, then new slices. An emptied slice is
    kept only when it is the first."""
    by_uid = {e.target[2]: e for e in members}
    packed: list[tuple[Obj | None, list[Endpoint]]] = []
    for one in existing:
        uids = [(e.get("targetRef") or {}).get("uid") for e in one.get("endpoints") or []]
        packed.append((one, [by_uid.pop(uid) for uid in uids if uid in by_uid]))
    fresh = list(by_uid.values())
    for _, share in packed:
        while fresh and len(share) < _MAX_PER_SLICE:
            share.append(fresh.pop(0))
    while fresh or not packed:
        packed.append((None, fresh[:_MAX_PER_SLICE]))
        fresh = fresh[_MAX_PER_SLICE:]
    return packed


async def _write_slice(
    context: ControllerContext, service: Obj, current: Obj | None, ports: list[Obj], share: list[Endpoint]
) -> None:
    body: Obj = {"endpoints": [e.to_slice() for e in share], "ports": ports}
    labels = _labels(service) | {MANAGED_BY: MANAGER, SERVICE_NAME: service["metadata"]["name"]}
    if current is None:
        owned = {"ownerReferences": [meta.owner_reference(service)], "labels": labels}
        name = service["metadata"]["name"]
        where = {"generateName": f"{name}-", "namespace": service["metadata"]["namespace"]}
        head = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"}
        await context.create(ENDPOINTSLICES, {**head, "metadata": {**where, **owned}, **body})
        return
    same_body = (current.get("endpoints") or []) == body["endpoints"] and (current.get("ports") or []) == ports
    if same_body and current["metadata"].get("labels") == labels:
        return
    await context.update(ENDPOINTSLICES, {**current, **body, "metadata": {**current["metadata"], "labels": labels}})


def _labels(service: Obj) -> dict[str, str]:
    labels = {k: v for k, v in (service["metadata"].get("labels") or {}).items() if k != HEADLESS}
    return labels | ({HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else {})


async def _sync_endpoints(context: ControllerContext, service: Obj, found: Sequence[Endpoint]) -> None:
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    labels = _labels(service) | {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    wanted = subsets(service, found)
    current = context.informer(ENDPOINTS).get(namespace, name)
    if current is None:
        head: Obj = {"apiVersion": "v1", "kind": "Endpoints"}
        metadata = {"name": name, "namespace": namespace, "labels": labels}
        try:
            await context.create(ENDPOINTS, {**head, "metadata": metadata, "subsets": wanted})
        except ApiError as error:
            if error.code != 403:  # a namespace on its way out takes nothing new
                raise
        return
    if (current.get("subsets") or []) == wanted and current["metadata"].get("labels") == labels:
        return
    changed = {**current, "metadata": {**current["metadata"], "labels": labels}, "subsets": wanted}
    await context.update(ENDPOINTS, changed)


CONTROLLER = Controller(
    "endpointslice-controller",
    (
        Watch(SERVICES, indexes={"namespace": _by_namespace}),
        Watch(PODS, _pod_keys, {"namespace": _by_namespace}),
        Watch(ENDPOINTSLICES, _slice_keys, {"service": _by_service}),
        Watch(ENDPOINTS, _endpoints_keys),
    ),
    reconcile,
)
