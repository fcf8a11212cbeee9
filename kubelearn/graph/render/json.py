"""JSON: nodes and edges, for scripts."""

from __future__ import annotations

import json

import networkx as nx

from kubelearn.graph.renderer import Renderer
from kubelearn.graph.snapshot import Snapshot


def _draw(graph: nx.DiGraph[str], snapshot: Snapshot, view: str, _width: int) -> str:
    return json.dumps(
        {
            "view": view,
            "revision": snapshot.revision,
            "nodes": [{"id": n, **graph.nodes[n]} for n in sorted(graph)],
            "edges": [{"source": s, "target": t, **graph.edges[s, t]} for s, t in sorted(graph.edges)],
        },
        indent=2,
    )


RENDERER = Renderer(_draw)
