"""TTL: an annotation on each Node that says for how many seconds its kubelet may keep ConfigMaps and Secrets.

The more nodes, the longer. Source: Kubernetes' pkg/controller/ttl.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api.resource import Obj
from kubelearn.controllers.base import NODES, Controller, ControllerContext, Watch

ANNOTATION = "node.alpha.kubernetes.io/ttl"
#: (a cluster is in this class from so many nodes on, and leaves it below that many, seconds)
_CLASSES = ((0, 0, 0), (101, 90, 15), (501, 450, 30), (1001, 900, 60), (2001, 1800, 300))


def seconds(nodes: int, before: int) -> int:
    """What a cluster of so many nodes needs, given what it had: its class does not change back and forth."""
    found = 0
    for enter, leave, ttl in _CLASSES:
        if nodes >= (leave if ttl <= before else enter):
            found = ttl
    return found


def _all_when_count_changes(context: ControllerContext, event_type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    if event_type == "MODIFIED":
        return (new["metadata"]["name"],) if ANNOTATION not in (new["metadata"].get("annotations") or {}) else ()
    before = context.state.get("ttl", 0)
    context.state["ttl"] = ttl = seconds(len(context.informer(NODES).items()), before)
    if ttl != before:
        return [node["metadata"]["name"] for node in context.informer(NODES).items()]
    return (new["metadata"]["name"],)


async def reconcile(context: ControllerContext, key: str) -> None:
    node = context.informer(NODES).get("", key)
    wanted = str(context.state.get("ttl", 0))
    if node is not None and (node["metadata"].get("annotations") or {}).get(ANNOTATION) != wanted:
        await context.patch(NODES, node, {"metadata": {"annotations": {ANNOTATION: wanted}}})


CONTROLLER = Controller("ttl-controller", (Watch(NODES, _all_when_count_changes),), reconcile, workers=1)
