"""The descriptor that each file in `nodes/` exports as `NODE`: how one kind of object stands in the picture."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubelearn.api.resource import Obj, Resource
from kubelearn.graph.state import State
from kubelearn.kit.discover import discover

if TYPE_CHECKING:
    from kubelearn.graph.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Edge:
    """`relation`: owns, runs-on, routes-to. `source` and `target` are node ids (see `node_id`)."""

    source: str
    target: str
    relation: str
    ready: bool = True


def node_id(kind: str, namespace: str, name: str) -> str:
    """`Pod/default/web-1`, `Node//worker-1`."""
    return f"{kind}/{namespace}/{name}"


def id_of(kind: str, obj: Obj) -> str:
    return node_id(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def no_edges(_obj: Obj, _snapshot: Snapshot) -> Iterable[Edge]:
    return ()


def owner_edges(kind: str) -> Callable[[Obj, Snapshot], Iterable[Edge]]:
    """Edges from the controllers that own objects of `kind`."""

    def edges(obj: Obj, _snapshot: Snapshot) -> Iterable[Edge]:
        namespace = obj["metadata"].get("namespace", "")
        for owner in obj["metadata"].get("ownerReferences", ()):
            if owner.get("controller"):
                yield Edge(node_id(owner["kind"], namespace, owner["name"]), id_of(kind, obj), "owns")

    return edges


@dataclass(frozen=True, slots=True)
class NodeType:
    """`state` reads an object's state, `detail` the short text beside its name, `edges` its lines to others."""

    resource: Resource
    state: Callable[[Obj], State]
    detail: Callable[[Obj], str]
    edges: Callable[[Obj, Snapshot], Iterable[Edge]] = no_edges
    drawn: bool = True


@functools.cache
def node_types() -> dict[str, NodeType]:
    """The registry by kind."""
    return {t.resource.kind: t for t in discover("kubelearn.graph.nodes", "NODE", NodeType).values()}
