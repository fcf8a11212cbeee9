"""Endpoints that somebody wrote by hand, for a Service without a selector, are mirrored as EndpointSlices.

kube-proxy and DNS read nothing but slices. One slice stands for each subset and family of addresses.
Source: Kubernetes' pkg/controller/endpointslicemirroring.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from kubelearn.api import meta
from kubelearn.api.resource import Obj
from kubelearn.controllers.base import ENDPOINTS, ENDPOINTSLICES, SERVICES, Controller, ControllerContext, Watch
from kubelearn.controllers.endpointslice import MANAGED_BY, SERVICE_NAME
from kubelearn.trace import cause

MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration", "endpoints.kubernetes.io/last-change-trigger-time")
_MAX_PER_SUBSET = 1000


def _mirrors(obj: Obj) -> Iterable[str]:
    labels = obj["metadata"].get("labels") or {}
    if labels.get(MANAGED_BY) != MANAGER or SERVICE_NAME not in labels:
        return ()
    return (f"{obj['metadata']['namespace']}/{labels[SERVICE_NAME]}",)


def _slice_keys(_context: ControllerContext, _type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    return {key for obj in (old, new) if obj for key in _mirrors(obj)}


def _own_key(_context: ControllerContext, _type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    return (meta.key(new),)


def _to_mirror(endpoints: Obj | None, service: Obj | None) -> bool:
    if endpoints is None or service is None or service["spec"].get("selector"):
        return False
    own = endpoints["metadata"]
    skipped = (own.get("labels") or {}).get(SKIP) == "true" or _LEADER in (own.get("annotations") or {})
    return not skipped and "deletionTimestamp" not in own


async def reconcile(context: ControllerContext, key: str) -> None:
    namespace, name = meta.split_key(key)
    spare = list(context.informer(ENDPOINTSLICES).by_index("mirror", key))
    endpoints = context.informer(ENDPOINTS).get(namespace, name)
    wanted: list[Obj] = []
    if endpoints is not None and _to_mirror(endpoints, context.informer(SERVICES).get(namespace, name)):
        wanted = _slices(endpoints)
        cause.add_note(reconcile=f"{len(wanted)} slices mirror endpoints {name}")
    for one in wanted:
        current = next((s for s in spare if _alike(s, one)), None)
        if current is None:
            await context.create(ENDPOINTSLICES, one)
            continue
        spare.remove(current)
        metadata = {**current["metadata"], **{k: one["metadata"][k] for k in ("labels", "annotations")}}
        changed = {**current, "metadata": metadata, "endpoints": one["endpoints"]}
        if changed != {**current, "metadata": {"annotations": {}, **current["metadata"]}}:
            await context.update(ENDPOINTSLICES, changed)
    for surplus in spare:
        await context.delete(ENDPOINTSLICES, surplus)


def _alike(current: Obj, wanted: Obj) -> bool:
    """An existing slice may be changed into the wanted one: its family of addresses may not."""
    same_ports = (current.get("ports") or []) == wanted["ports"]
    return same_ports and bool(current["addressType"] == wanted["addressType"])


def _slices(endpoints: Obj) -> list[Obj]:
    own = endpoints["metadata"]
    labels = {**(own.get("labels") or {}), SERVICE_NAME: own["name"], MANAGED_BY: MANAGER}
    annotations = {k: v for k, v in (own.get("annotations") or {}).items() if k not in _NOT_COPIED}
    metadata = {
        "generateName": f"{own['name']}-",
        "namespace": own["namespace"],
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [meta.owner_reference(endpoints)],
    }
    out: list[Obj] = []
    for subset in endpoints.get("subsets") or []:
        ports = [{"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or []]
        for family, members in _by_family(subset).items():
            head = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family}
            out.append({**head, "metadata": metadata, "endpoints": members, "ports": ports})
    return out


def _by_family(subset: Obj) -> dict[str, list[Obj]]:
    found: dict[str, list[Obj]] = {}
    addresses = [(a, True) for a in subset.get("addresses") or []]
    addresses += [(a, False) for a in subset.get("notReadyAddresses") or []]
    for address, ready in addresses[:_MAX_PER_SUBSET]:
        endpoint: Obj = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
        endpoint |= {part: address[part] for part in ("hostname", "nodeName", "targetRef") if address.get(part)}
        found.setdefault(f"IPv{ip_address(address['ip']).version}", []).append(endpoint)
    return found


CONTROLLER = Controller(
    "endpointslicemirroring-controller",
    (
        Watch(ENDPOINTS, _own_key),
        Watch(SERVICES, _own_key),
        Watch(ENDPOINTSLICES, _slice_keys, {"mirror": _mirrors}),
    ),
    reconcile,
)
