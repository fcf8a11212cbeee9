"""A node: a machine with a kubelet."""

from __future__ import annotations

from kubelearn.api.resource import Obj, Resource
from kubelearn.graph.node_type import NodeType
from kubelearn.graph.state import State


def _state(node: Obj) -> State:
    for condition in node.get("status", {}).get("conditions", ()):
        if condition["type"] == "Ready":
            known = {"True": State.RUNNING, "False": State.NOT_READY}
            return known.get(condition["status"], State.UNKNOWN)
    return State.STARTING


def _detail(node: Obj) -> str:
    texts = {State.RUNNING: "Ready", State.NOT_READY: "NotReady", State.UNKNOWN: "NotReady", State.STARTING: "joining"}
    text = texts[_state(node)]
    return text + (" · cordoned" if node["spec"].get("unschedulable") else "")


NODE = NodeType(Resource("", "v1", "Node", "nodes", "node", False), _state, _detail)
