"""A ReplicaSet: keeps a number of pods."""

from __future__ import annotations

from kubelearn.api.resource import Obj, Resource
from kubelearn.graph.node_type import NodeType, owner_edges
from kubelearn.graph.state import State


def _counts(obj: Obj) -> tuple[int, int]:
    return obj.get("status", {}).get("readyReplicas", 0), obj["spec"].get("replicas", 1)


def _state(obj: Obj) -> State:
    ready, wanted = _counts(obj)
    return State.RUNNING if ready >= wanted else State.NOT_READY


def _detail(obj: Obj) -> str:
    ready, wanted = _counts(obj)
    return f"{ready}/{wanted} ready"


NODE = NodeType(
    Resource("apps", "v1", "ReplicaSet", "replicasets", "replicaset", True),
    _state,
    _detail,
    owner_edges("ReplicaSet"),
)
