"""Nodes are liked where cpu and memory would be used up evenly, so that neither is left stranded."""

from __future__ import annotations

from typing import Any

from kubelearn.scheduler.framework import MAX_SCORE, NodeInfo, Nodes, Plugin, PodInfo

RESOURCES = ("cpu", "memory")


def _asks(pod: PodInfo, _nodes: Nodes, _feasible: Nodes) -> bool | None:
    """A pod that requests nothing changes no balance."""
    return any(pod.requests.get(name) for name in RESOURCES) or None


def _score(pod: PodInfo, node: NodeInfo, _state: Any) -> int:
    shares = [
        min(1.0, (node.requested[name] + pod.requests.get(name, 0)) / node.allocatable[name])
        for name in RESOURCES
        if node.allocatable.get(name)
    ]
    deviation = abs(shares[0] - shares[1]) / 2 if len(shares) == 2 else 0.0
    return int((1 - deviation) * MAX_SCORE)


PLUGIN = Plugin("NodeResourcesBalancedAllocation", order=90, prepare_score=_asks, score=_score, weight=1)
