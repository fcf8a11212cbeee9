"""The graph itself: a networkx DiGraph of the objects in a snapshot.

A node's id is `Kind/namespace/name`; its attributes are `kind`, `namespace`, `name`, `state` (a State), `detail` and
`revision`. An edge has `relation` (owns, runs-on, routes-to) and `ready`. An edge to something that is not there makes
no node: the picture shows what is.
"""

from __future__ import annotations

import networkx as nx

from kubelearn.graph.node_type import id_of, node_types
from kubelearn.graph.snapshot import Snapshot

#: Namespaces of the system's own objects, left out of the picture unless asked for.
SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})


def build(snapshot: Snapshot, *, system: bool = False) -> nx.DiGraph[str]:
    """The graph of a snapshot; with `system`, also what kube-system holds and the Service of the API server."""
    graph: nx.DiGraph[str] = nx.DiGraph(revision=snapshot.revision)
    kept = []
    for kind, node_type in node_types().items():
        for obj in snapshot.of(node_type.resource.group_resource):
            if not system and _is_system(kind, obj):
                continue
            kept.append((node_type, obj))
            if node_type.drawn:
                meta = obj["metadata"]
                graph.add_node(
                    id_of(kind, obj),
                    kind=kind,
                    namespace=meta.get("namespace", ""),
                    name=meta["name"],
                    state=node_type.state(obj),
                    detail=node_type.detail(obj),
                    revision=meta.get("resourceVersion", ""),
                )
    for node_type, obj in kept:
        for edge in node_type.edges(obj, snapshot):
            if edge.source in graph and edge.target in graph:
                graph.add_edge(edge.source, edge.target, relation=edge.relation, ready=edge.ready)
    return graph


def _is_system(kind: str, obj: dict[str, object]) -> bool:
    meta = obj["metadata"]
    assert isinstance(meta, dict)
    namespace = meta.get("namespace", "")
    return namespace in SYSTEM or (kind == "Service" and namespace == "default" and meta["name"] == "kubernetes")


def of_kind(graph: nx.DiGraph[str], kind: str) -> list[str]:
    """Ids of one kind, sorted by namespace and name."""
    return sorted(n for n, data in graph.nodes(data=True) if data["kind"] == kind)


def sources(graph: nx.DiGraph[str], node: str, relation: str) -> list[str]:
    return sorted(s for s, _, data in graph.in_edges(node, data=True) if data["relation"] == relation)


def targets(graph: nx.DiGraph[str], node: str, relation: str) -> list[str]:
    return sorted(t for _, t, data in graph.out_edges(node, data=True) if data["relation"] == relation)
