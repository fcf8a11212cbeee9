"""nodeSelector and node affinity: what a pod demands of a node's labels, and what it would prefer."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.scheduler.framework import NodeInfo, Nodes, Plugin, PodInfo, Rejection, normalize
from kubelearn.scheduler.plugins._nodes import matches_required, matches_term, node_affinity


def _filter(pod: PodInfo, node: NodeInfo, _state: Any) -> Rejection | None:
    if matches_required(pod, node):
        return None
    return Rejection(("node(s) didn't match Pod's node affinity/selector",), final=True)


def _preferred(pod: PodInfo, _nodes: Nodes, _feasible: Nodes) -> list[Obj] | None:
    return node_affinity(pod).get("preferredDuringSchedulingIgnoredDuringExecution") or None


def _score(_pod: PodInfo, node: NodeInfo, preferred: list[Obj]) -> int:
    """Unlike a required term, an empty preferred term likes every node."""
    return sum(
        wish.get("weight", 0)
        for wish in preferred
        if not (term := wish.get("preference") or {}) or matches_term(term, node)
    )


PLUGIN = Plugin(
    "NodeAffinity",
    order=40,
    filter=_filter,
    prepare_score=_preferred,
    score=_score,
    normalize=lambda _state, scores: normalize(scores),
    weight=2,
)
