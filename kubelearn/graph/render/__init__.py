"""Renderers: from a snapshot to text, SVG, Mermaid, DOT or JSON. One file per format, each exporting `RENDERER`."""

from __future__ import annotations

from kubelearn.graph import model, views
from kubelearn.graph.renderer import Renderer
from kubelearn.graph.snapshot import Snapshot
from kubelearn.kit.discover import load, names
from kubelearn.kit.errors import KubelearnError


def render(snapshot: Snapshot, view: str, fmt: str = "text", width: int = 100) -> str:
    """The picture in one format, `width` columns at most where that means something."""
    if fmt not in names(__name__):
        raise KubelearnError(f'unknown format "{fmt}"', f"choose one of: {', '.join(names(__name__))}")
    graph = views.view(model.build(snapshot), view)
    return load(__name__, fmt, "RENDERER", Renderer).draw(graph, snapshot, view, width)
