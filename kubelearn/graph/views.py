"""Views: which part of the graph is shown. Pure functions from a graph to a smaller graph, one per view."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import networkx as nx

from kubelearn.kit.errors import KubelearnError


def _related(graph: nx.DiGraph[str], kinds: frozenset[str], relations: frozenset[str]) -> nx.DiGraph[str]:
    """The nodes of `kinds` and the edges of `relations` between them."""
    kept = [n for n, data in graph.nodes(data=True) if data["kind"] in kinds]
    shown: nx.DiGraph[str] = nx.DiGraph(**graph.graph)
    shown.add_nodes_from((n, graph.nodes[n]) for n in kept)
    shown.add_edges_from(
        (s, t, data)
        for s, t, data in graph.edges(data=True)
        if data["relation"] in relations and s in shown and t in shown
    )
    return shown


def _architecture(graph: nx.DiGraph[str]) -> nx.DiGraph[str]:
    kinds = frozenset({"Node", "Pod", "Service"})
    return _related(graph, kinds, frozenset({"runs-on", "routes-to"}))


def _ownership(graph: nx.DiGraph[str]) -> nx.DiGraph[str]:
    return _related(graph, frozenset({"Deployment", "ReplicaSet", "Pod"}), frozenset({"owns"}))


def _traffic(graph: nx.DiGraph[str]) -> nx.DiGraph[str]:
    return _related(graph, frozenset({"Service", "Pod"}), frozenset({"routes-to"}))


VIEWS: Mapping[str, Callable[[nx.DiGraph[str]], nx.DiGraph[str]]] = {
    "architecture": _architecture,
    "ownership": _ownership,
    "traffic": _traffic,
}


def view(graph: nx.DiGraph[str], name: str) -> nx.DiGraph[str]:
    """Raises KubelearnError for an unknown view."""
    if name not in VIEWS:
        raise KubelearnError(f'unknown view "{name}"', f"choose one of: {', '.join(VIEWS)}")
    return VIEWS[name](graph)
