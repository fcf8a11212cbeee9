"""An IPAddress for each cluster IP of a Service, and none for anything else.

Source: Kubernetes' pkg/registry/core/service/ipallocator/controller (KEP-1880).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from kubelearn.api.kinds import ipaddress as addresses
from kubelearn.api.resource import Obj
from kubelearn.controllers.base import SERVICES, Controller, ControllerContext, Watch
from kubelearn.trace import cause

ADDRESSES = addresses.RESOURCE
_MANAGER = "ipaddress.kubernetes.io/managed-by"
_ALLOCATOR = "ipallocator.k8s.io"
_BY_IP = "ip"


def _ips(service: Obj) -> list[str]:
    spec = service["spec"]
    found = spec.get("clusterIPs") or [spec.get("clusterIP") or "None"]
    return [ip for ip in found if ip not in ("", "None")]


def _of_service(_context: ControllerContext, _type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    return {ip for obj in (old, new) if obj is not None for ip in _ips(obj)}


def _of_address(_context: ControllerContext, _type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    return (new["metadata"]["name"],)


async def reconcile(context: ControllerContext, key: str) -> None:
    owner = next(iter(context.informer(SERVICES).by_index(_BY_IP, key)), None)
    found = context.informer(ADDRESSES).get("", key)
    if owner is None:
        if found is not None and (found["metadata"].get("labels") or {}).get(_MANAGER) == _ALLOCATOR:
            cause.add_note(reconcile=f"no Service has the address {key} any more")
            await context.delete(ADDRESSES, found)
        return
    about = owner["metadata"]
    parent = {"group": "", "resource": "services", "namespace": about["namespace"], "name": about["name"]}
    if found is not None:
        known = found["spec"]["parentRef"]
        if (known.get("namespace"), known["name"]) == (about["namespace"], about["name"]):
            return
        await context.delete(ADDRESSES, found)
    cause.add_note(reconcile=f"the address {key} is that of Service {about['namespace']}/{about['name']}")
    family = f"IPv{ipaddress.ip_address(key).version}"
    labels = {"ipaddress.kubernetes.io/ip-family": family, _MANAGER: _ALLOCATOR}
    await context.create(ADDRESSES, {"metadata": {"name": key, "labels": labels}, "spec": {"parentRef": parent}})


CONTROLLER = Controller(
    "service-ip-repair-controller",
    (Watch(SERVICES, _of_service, {_BY_IP: _ips}), Watch(ADDRESSES, _of_address)),
    reconcile,
    workers=1,
)
