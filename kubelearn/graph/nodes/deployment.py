"""A Deployment: owns ReplicaSets, one per version."""

from __future__ import annotations

from kubelearn.api.resource import Obj, Resource
from kubelearn.graph.node_type import NodeType
from kubelearn.graph.state import State


def _state(obj: Obj) -> State:
    status = obj.get("status", {})
    wanted = obj["spec"].get("replicas", 1)
    done = status.get("updatedReplicas", 0) == status.get("replicas", 0) == status.get("readyReplicas", 0) == wanted
    return State.RUNNING if done else State.NOT_READY


def _detail(obj: Obj) -> str:
    return f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 1)} ready"


NODE = NodeType(Resource("apps", "v1", "Deployment", "deployments", "deployment", True), _state, _detail)
