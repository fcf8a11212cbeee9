"""Node IPAM: a Node that came without a range of pod addresses gets the first /24 of the cluster's that is free.

kubelearn's own nodes bring theirs, because their network is made before they register. Source: Kubernetes'
pkg/controller/nodeipam/ipam (the range allocator).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

from kubelearn.api.resource import Obj
from kubelearn.controllers.base import NODES, Controller, ControllerContext, Options, Watch

_MASK = 24


def _without_range(_context: ControllerContext, event_type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    return () if event_type == "DELETED" or new["spec"].get("podCIDR") else (new["metadata"]["name"],)


def ranges(options: Options) -> Iterator[str]:
    """The first is the machines' own."""
    nets = IPv4Network(options.cluster_cidr).subnets(new_prefix=_MASK)
    next(nets)
    return map(str, nets)


async def reconcile(context: ControllerContext, key: str) -> None:
    nodes = context.informer(NODES)
    node = nodes.get("", key)
    if node is None or node["spec"].get("podCIDR"):
        return
    taken = {other["spec"].get("podCIDR") for other in nodes.items()}
    free = next((cidr for cidr in ranges(context.options) if cidr not in taken), None)
    if free is None:
        text = f"Node {key} status is now: CIDRNotAvailable"
        await context.recorder.event(node, "Normal", "CIDRNotAvailable", text)
        return
    await context.patch(NODES, node, {"spec": {"podCIDR": free, "podCIDRs": [free]}})


CONTROLLER = Controller(
    "node-ipam-controller",
    (Watch(NODES, _without_range),),
    reconcile,
    workers=1,  # two at once would give one range twice
    enabled=lambda options: bool(options.cluster_cidr),
)
