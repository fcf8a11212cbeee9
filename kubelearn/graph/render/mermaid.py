"""Mermaid flowchart source, for a page or a README."""

from __future__ import annotations

import networkx as nx

from kubelearn.graph.renderer import Renderer
from kubelearn.graph.snapshot import Snapshot
from kubelearn.graph.state import GLYPHS


def _draw(graph: nx.DiGraph[str], _snapshot: Snapshot, _view: str, _width: int) -> str:
    ids = {n: f"n{i}" for i, n in enumerate(sorted(graph))}
    lines = ["flowchart LR"]
    for node, short in ids.items():
        data = graph.nodes[node]
        lines.append(f'  {short}["{data["kind"]}: {data["name"]}<br/>{GLYPHS[data["state"]]} {data["detail"]}"]')
    for source, target in sorted(graph.edges):
        data = graph.edges[source, target]
        arrow = "-->" if data["ready"] else "-.->"
        lines.append(f"  {ids[source]} {arrow}|{data['relation']}| {ids[target]}")
    return "\n".join(lines)


RENDERER = Renderer(_draw)
