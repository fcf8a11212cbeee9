"""Graphviz DOT source."""

from __future__ import annotations

import json

import networkx as nx

from kubelearn.graph.renderer import Renderer
from kubelearn.graph.snapshot import Snapshot
from kubelearn.graph.state import GLYPHS


def _draw(graph: nx.DiGraph[str], _snapshot: Snapshot, view: str, _width: int) -> str:
    lines = [f"digraph {json.dumps(view)} {{", "  rankdir=LR; node [shape=box, fontname=monospace];"]
    for node in sorted(graph):
        data = graph.nodes[node]
        label = f"{data['kind']} {data['name']}\n{GLYPHS[data['state']]} {data['detail']}"
        lines.append(f"  {json.dumps(node)} [label={json.dumps(label, ensure_ascii=False)}];")
    for source, target in sorted(graph.edges):
        data = graph.edges[source, target]
        style = "solid" if data["ready"] else "dashed"
        lines.append(
            f"  {json.dumps(source)} -> {json.dumps(target)} [label={json.dumps(data['relation'])}, style={style}];"
        )
    return "\n".join([*lines, "}"])


RENDERER = Renderer(_draw)
