"""Taints keep pods away (NoSchedule, NoExecute) or make a node less liked (PreferNoSchedule)."""

from __future__ import annotations

from typing import Any

from kubelearn.scheduler.framework import NodeInfo, Plugin, PodInfo, Rejection, normalize
from kubelearn.scheduler.plugins._nodes import untolerated


def _filter(pod: PodInfo, node: NodeInfo, _state: Any) -> Rejection | None:
    if untolerated(pod, node, ("NoSchedule", "NoExecute")):
        return Rejection(("node(s) had untolerated taint(s)",), final=True)
    return None


def _score(pod: PodInfo, node: NodeInfo, _state: Any) -> int:
    return len(untolerated(pod, node, ("PreferNoSchedule",)))


PLUGIN = Plugin(
    "TaintToleration",
    order=30,
    filter=_filter,
    score=_score,
    normalize=lambda _state, scores: normalize(scores, reverse=True),
    weight=3,
)
