"""What the scheduler believes of the nodes: what its watches showed, plus the pods it has placed but not yet seen
there (assumed), so that many pods can be decided on before the first binding is confirmed; and which pods wait for
room that is being made for them. Pure."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.scheduler.framework import NodeInfo, PodInfo


class Cache:
    """Pods may be seen before their node is, and outlive it."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeInfo] = {}
        self._placed: dict[str, NodeInfo] = {}
        self._nominated: dict[str, tuple[str, PodInfo]] = {}

    def nodes(self) -> list[NodeInfo]:
        return [node for node in self._nodes.values() if node.obj is not None]

    def node(self, name: str) -> NodeInfo | None:
        return self._nodes.get(name)

    def set_node(self, obj: Obj) -> None:
        self._node(obj["metadata"]["name"]).set_node(obj)

    def remove_node(self, name: str) -> None:
        node = self._nodes.get(name)
        if node is not None:
            node.set_node(None)
            self._forget_if_empty(node)

    def place(self, pod: PodInfo, node_name: str) -> None:
        """Count `pod` on the node, anew if it was counted before."""
        self.remove(pod.uid)
        self.withdraw(pod.uid)
        node = self._placed[pod.uid] = self._node(node_name)
        node.add(pod)

    def remove(self, uid: str) -> bool:
        node = self._placed.pop(uid, None)
        if node is None:
            return False
        node.remove(uid)
        self._forget_if_empty(node)
        return True

    def is_placed(self, uid: str) -> bool:
        return uid in self._placed

    # nominations

    def nominate(self, pod: PodInfo, node_name: str) -> None:
        self._nominated[pod.uid] = (node_name, pod)

    def withdraw(self, uid: str) -> None:
        self._nominated.pop(uid, None)

    def nomination(self, uid: str) -> str:
        return self._nominated[uid][0] if uid in self._nominated else ""

    def nominated(self) -> dict[str, list[PodInfo]]:
        by_node: dict[str, list[PodInfo]] = {}
        for node, pod in self._nominated.values():
            by_node.setdefault(node, []).append(pod)
        return by_node

    def _node(self, name: str) -> NodeInfo:
        return self._nodes.setdefault(name, NodeInfo(name))

    def _forget_if_empty(self, node: NodeInfo) -> None:
        if node.obj is None and not node.pods:
            self._nodes.pop(node.name, None)
