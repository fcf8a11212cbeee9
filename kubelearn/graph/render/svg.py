"""SVG: the text picture as a vector image in a monospaced face, so that both always say the same."""

from __future__ import annotations

from html import escape

import networkx as nx

from kubelearn.graph import canvas
from kubelearn.graph.render import text
from kubelearn.graph.renderer import Renderer
from kubelearn.graph.snapshot import Snapshot

_COLUMN, _ROW, _MARGIN = 8.4, 18, 16
_COLOURS = {
    "running": "#3fb950", "not-ready": "#d29922", "starting": "#58a6ff", "terminating": "#8b949e",
    "failed": "#f85149", "succeeded": "#8b949e", "unknown": "#db61a2", "held": "#a371f7",
    "title": "#f0f6fc", "dim": "#8b949e", "accent": "#a371f7", "": "#c9d1d9",
}  # fmt: skip


def _draw(graph: nx.DiGraph[str], snapshot: Snapshot, view: str, width: int) -> str:
    drawn = text.lines(graph, snapshot, view, width)
    wide, high = width * _COLUMN + 2 * _MARGIN, len(drawn) * _ROW + 2 * _MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}" font-size="14" '
        'font-family="ui-monospace, DejaVu Sans Mono, monospace">',
        f'<rect width="{wide:.0f}" height="{high}" fill="#0d1117"/>',
    ]
    for row, line in enumerate(drawn):
        column = 0
        for piece, style in line:
            if piece.strip():
                x, y = _MARGIN + column * _COLUMN, _MARGIN + (row + 0.75) * _ROW
                out.append(
                    f'<text x="{x:.1f}" y="{y:.1f}" fill="{_COLOURS[style]}" xml:space="preserve" '
                    f'textLength="{canvas.columns(piece) * _COLUMN:.1f}">{escape(piece)}</text>'
                )
            column += canvas.columns(piece)
    return "\n".join([*out, "</svg>"])


RENDERER = Renderer(_draw)
