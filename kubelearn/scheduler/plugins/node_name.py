"""A pod that names its node fits only there."""

from __future__ import annotations

from typing import Any

from kubelearn.scheduler.framework import NodeInfo, Plugin, PodInfo, Rejection


def _filter(pod: PodInfo, node: NodeInfo, _state: Any) -> Rejection | None:
    wanted = pod.spec.get("nodeName")
    if wanted and wanted != node.name:
        return Rejection(("node(s) didn't match the requested node name",), final=True)
    return None


PLUGIN = Plugin("NodeName", order=20, filter=_filter)
