"""A cordoned node takes only pods that tolerate it."""

from __future__ import annotations

from typing import Any

from kubelearn.api import placement
from kubelearn.scheduler.framework import NodeInfo, Plugin, PodInfo, Rejection

TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def _filter(pod: PodInfo, node: NodeInfo, _state: Any) -> Rejection | None:
    if node.spec.get("unschedulable") and not any(
        placement.tolerates(t, TAINT) for t in pod.spec.get("tolerations") or ()
    ):
        return Rejection(("node(s) were unschedulable",), final=True)
    return None


PLUGIN = Plugin("NodeUnschedulable", order=10, filter=_filter)
