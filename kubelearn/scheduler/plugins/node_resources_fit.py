"""A node must have room for what the pod requests; of those that have, the least allocated is liked best."""

from __future__ import annotations

from typing import Any

from kubelearn.scheduler.framework import MAX_SCORE, NodeInfo, Plugin, PodInfo, Rejection


def _filter(pod: PodInfo, node: NodeInfo, _state: Any) -> Rejection | None:
    reasons, final = [], False
    if len(node.pods) + 1 > node.allocatable.get("pods", 0):
        reasons.append("Too many pods")
    for name, wanted in sorted(pod.requests.items(), key=_by_rank):
        capacity = node.allocatable.get(name, 0)
        if wanted > 0 and wanted > capacity - node.requested[name]:
            reasons.append(f"Insufficient {name}")
            final = final or wanted > capacity
    return Rejection(tuple(reasons), final) if reasons else None


def _by_rank(request: tuple[str, int]) -> tuple[int, str]:
    ranks = {"cpu": 0, "memory": 1, "ephemeral-storage": 2}
    return ranks.get(request[0], 3), request[0]


def _least_allocated(pod: PodInfo, node: NodeInfo, _state: Any) -> int:
    scores = []
    for name in ("cpu", "memory"):
        capacity = node.allocatable.get(name, 0)
        if capacity:
            free = capacity - node.scored[name] - pod.scored_requests.get(name, 0)
            scores.append(max(0, free * MAX_SCORE // capacity))
    return sum(scores) // len(scores) if scores else 0


PLUGIN = Plugin(
    "NodeResourcesFit",
    order=60,
    filter=_filter,
    score=_least_allocated,
    weight=1,
    helped_by=frozenset({"node", "pod-gone"}),
)
