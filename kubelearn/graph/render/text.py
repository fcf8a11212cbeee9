"""The picture in characters. `lines` gives styled pieces (for the TUI), the renderer joins them to plain text.

A line is a list of (text, style); a style is a State's value or one of: title, dim, accent, "".
"""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx

from kubelearn.graph import model
from kubelearn.graph.canvas import Line, cut
from kubelearn.graph.render._architecture import architecture, at_the_gate, item
from kubelearn.graph.renderer import Renderer
from kubelearn.graph.snapshot import Snapshot
from kubelearn.graph.state import State
from kubelearn.graph.words import EN, Words


def lines(graph: nx.DiGraph[str], snapshot: Snapshot, view: str, width: int, words: Words = EN) -> list[Line]:
    """The view as styled lines, none wider than `width` columns."""
    draw = {"architecture": architecture, "ownership": _ownership, "traffic": _traffic}[view]
    return [cut(line, width) for line in draw(graph, snapshot, width, words)]


def _ownership(graph: nx.DiGraph[str], snapshot: Snapshot, _width: int, words: Words) -> Iterator[Line]:
    yield from at_the_gate(snapshot, words)
    roots = [n for n in sorted(graph) if not model.sources(graph, n, "owns")]
    for root in roots:
        yield from _tree(graph, root, "", "")
    if not roots:
        yield [(words["nothing"], "dim")]


def _tree(graph: nx.DiGraph[str], node: str, here: str, below: str) -> Iterator[Line]:
    yield [(here, "dim"), (graph.nodes[node]["kind"] + " ", "dim"), *item(graph, node)]
    children = model.targets(graph, node, "owns")
    for i, child in enumerate(children):
        last = i == len(children) - 1
        yield from _tree(graph, child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))


def _traffic(graph: nx.DiGraph[str], snapshot: Snapshot, _width: int, words: Words) -> Iterator[Line]:
    yield from at_the_gate(snapshot, words)
    services = model.of_kind(graph, "Service")
    for service in services:
        yield [("Service ", "dim"), *item(graph, service)]
        pods = model.targets(graph, service, "routes-to")
        for pod in pods:
            ready = graph.edges[service, pod]["ready"]
            arrow = ("  ──▶ ", State.RUNNING.value) if ready else ("  ╌╌▷ ", State.NOT_READY.value)
            yield [arrow, *item(graph, pod)]
        if not pods:
            yield [(f"  {words['no endpoints']}", State.NOT_READY.value)]
    if not services:
        yield [(words["no services"], "dim")]


def _draw(graph: nx.DiGraph[str], snapshot: Snapshot, view: str, width: int) -> str:
    drawn = lines(graph, snapshot, view, width)
    return "\n".join("".join(text for text, _ in line).rstrip() for line in drawn)


RENDERER = Renderer(_draw)
