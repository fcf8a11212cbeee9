"""What several plugins ask of a node: does it match the pod's node affinity, does the pod tolerate its taints."""

from __future__ import annotations

from kubelearn.api import placement
from kubelearn.api.resource import Obj
from kubelearn.scheduler.framework import NodeInfo, PodInfo


def untolerated(pod: PodInfo, node: NodeInfo, effects: tuple[str, ...]) -> list[Obj]:
    return placement.untolerated(pod.spec.get("tolerations") or [], node.taints, effects)


def node_affinity(pod: PodInfo) -> Obj:
    found: Obj = (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}
    return found


def matches_required(pod: PodInfo, node: NodeInfo) -> bool:
    """nodeSelector and required node affinity together."""
    return placement.matches_required(pod.spec, node.name, node.labels)


def matches_term(term: Obj, node: NodeInfo) -> bool:
    return placement.matches_term(term, node.name, node.labels)
