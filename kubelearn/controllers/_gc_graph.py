"""Who owns whom, by uid: the garbage collector's picture of the cluster, kept from metadata alone. Pure.

An owner that is named but was never seen has no node, only dependants. Source: Kubernetes'
pkg/controller/garbagecollector/graph.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kubelearn.api.resource import Obj, Resource

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


@dataclass(slots=True)
class Node:
    """One object as last seen."""

    resource: Resource
    metadata: dict[str, Any]

    @property
    def uid(self) -> str:
        return str(self.metadata["uid"])

    @property
    def owners(self) -> list[dict[str, Any]]:
        return self.metadata.get("ownerReferences") or []

    @property
    def deleting(self) -> bool:
        return "deletionTimestamp" in self.metadata

    def finalized_by(self, name: str) -> bool:
        return name in (self.metadata.get("finalizers") or [])

    @property
    def deleting_dependents(self) -> bool:
        """It waits, being deleted, for those it owns."""
        return self.deleting and self.finalized_by(FOREGROUND)

    @property
    def orphaning(self) -> bool:
        return self.deleting and self.finalized_by(ORPHAN)

    def blocks(self, owner: str) -> bool:
        return any(ref["uid"] == owner and ref.get("blockOwnerDeletion") for ref in self.owners)


@dataclass(slots=True)
class Graph:
    """`nodes` by uid; `dependents` are uids by the uid of their owner."""

    nodes: dict[str, Node] = field(default_factory=dict)
    dependents: dict[str, set[str]] = field(default_factory=dict)

    def of(self, owner: str) -> list[Node]:
        return [self.nodes[uid] for uid in sorted(self.dependents.get(owner, ())) if uid in self.nodes]

    def put(self, resource: Resource, obj: Obj) -> list[str]:
        """Take an object in; returns the uids that this may give work to."""
        node = Node(resource, obj["metadata"])
        before = self.nodes.get(node.uid)
        was = {ref["uid"] for ref in before.owners} if before else set()
        now = {ref["uid"] for ref in node.owners}
        self.nodes[node.uid] = node
        for owner in now - was:
            self.dependents.setdefault(owner, set()).add(node.uid)
        for owner in was - now:
            self._detach(owner, node.uid)
        work = [owner for owner in (now | was) if self._waits(owner)]
        unknown = any(owner not in self.nodes for owner in now)
        if unknown or node.orphaning or node.deleting_dependents or any(map(self._waits, now)):
            work.append(node.uid)
        return work

    def forget(self, group_resource: str) -> None:
        """A resource is served no more, so none of its objects is there."""
        for uid in [uid for uid, node in self.nodes.items() if node.resource.group_resource == group_resource]:
            self.drop(uid)

    def drop(self, uid: str) -> list[str]:
        """Take an object out; its dependants may go now, and owners that wait for it."""
        node = self.nodes.pop(uid, None)
        for ref in node.owners if node else ():
            self._detach(ref["uid"], uid)
        waiting = [ref["uid"] for ref in node.owners if self._waits(ref["uid"])] if node else []
        return [*waiting, *sorted(self.dependents.get(uid, ()))]

    def _waits(self, owner: str) -> bool:
        return owner in self.nodes and self.nodes[owner].deleting_dependents

    def _detach(self, owner: str, uid: str) -> None:
        found = self.dependents.get(owner)
        if found is not None:
            found.discard(uid)
            if not found:
                del self.dependents[owner]
