"""A pod: on its node, under its owner."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubelearn.api.resource import Obj, Resource
from kubelearn.graph.node_type import Edge, NodeType, id_of, node_id, owner_edges
from kubelearn.graph.state import State

if TYPE_CHECKING:
    from kubelearn.graph.snapshot import Snapshot

_BROKEN = {
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerError", "CreateContainerConfigError",
    "RunContainerError", "InvalidImageName",
}  # fmt: skip


def _ready(pod: Obj) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _waiting(pod: Obj) -> str:
    """The reason why a container waits, if it is a broken one."""
    for status in pod.get("status", {}).get("containerStatuses", ()):
        reason = status.get("state", {}).get("waiting", {}).get("reason", "")
        if reason in _BROKEN:
            return str(reason)
    return ""


def _state(pod: Obj) -> State:
    phase = pod.get("status", {}).get("phase", "Pending")
    if pod["metadata"].get("deletionTimestamp"):
        return State.TERMINATING
    if phase == "Failed" or _waiting(pod):
        return State.FAILED
    if phase == "Succeeded":
        return State.SUCCEEDED
    if phase == "Running":
        return State.RUNNING if _ready(pod) else State.NOT_READY
    return State.STARTING if phase == "Pending" else State.UNKNOWN


def _detail(pod: Obj) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "terminating"
    if reason := _waiting(pod):
        return reason
    status = pod.get("status", {})
    if status.get("podIP"):
        return str(status["podIP"])
    return "pending" if not pod["spec"].get("nodeName") else "starting"


def _edges(pod: Obj, snapshot: Snapshot) -> Iterable[Edge]:
    yield from owner_edges("Pod")(pod, snapshot)
    if node := pod["spec"].get("nodeName"):
        yield Edge(id_of("Pod", pod), node_id("Node", "", node), "runs-on")


NODE = NodeType(Resource("", "v1", "Pod", "pods", "pod", True), _state, _detail, _edges)
