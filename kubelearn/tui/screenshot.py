"""What is on the screen now, as text or as a picture: for the README and for tests that compare screens."""

from __future__ import annotations

from html import escape

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.strip import Strip

_COLUMN, _ROW, _SIZE = 8.4, 16.4, 14


def strips(app: App[int]) -> list[Strip]:
    return app.screen._compositor.render_strips()  # Textual's own screenshots have no other way either


def text(app: App[int]) -> str:
    return "\n".join(strip.text.rstrip() for strip in strips(app)) + "\n"


def svg(app: App[int]) -> str:
    """Each run of characters stands at its own place, so that no viewer's font or white space moves anything."""
    lines = strips(app)
    wide, high = app.size.width * _COLUMN, len(lines) * _ROW
    base = app.get_css_variables()["background"]
    body = [piece for row, line in enumerate(lines) for piece in _row(row, line, base)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" font-size="{_SIZE}" '
            'font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, Noto Sans Mono CJK SC, monospace">',
            f'<rect width="{wide:.0f}" height="{high:.0f}" rx="6" fill="{base}"/>',
            *body,
            "</svg>\n",
        ]
    )


def _row(row: int, line: Strip, base: str) -> list[str]:
    behind, glyphs = [], []
    column = 0
    for segment in Segment.simplify(line):
        style = segment.style or Style()
        width = segment.cell_length
        fore, back = _colour(style.color, "#e6edf3"), _colour(style.bgcolor, base)
        if style.reverse:
            fore, back = back, fore
        if back != base.lower():
            behind.append(
                f'<rect x="{column * _COLUMN:.1f}" y="{row * _ROW:.1f}" width="{width * _COLUMN:.1f}" '
                f'height="{_ROW}" fill="{back}"/>'
            )
        glyphs += _words(segment, style, fore, row, column)
        column += width
    return behind + glyphs


def _words(segment: Segment, style: Style, fore: str, row: int, column: int) -> list[str]:
    """The runs between white space, each at its column."""
    found = []
    weight = ' font-weight="bold"' if style.bold else ""
    slant = ' font-style="italic"' if style.italic else ""
    for word in segment.text.split(" "):
        width = Segment(word).cell_length
        if word:
            found.append(
                f'<text x="{column * _COLUMN:.1f}" y="{(row + 0.76) * _ROW:.1f}" fill="{fore}"{weight}{slant} '
                f'textLength="{width * _COLUMN:.1f}" lengthAdjust="spacingAndGlyphs">{escape(word)}</text>'
            )
        column += width + 1
    return found


def _colour(colour: Color | None, default: str) -> str:
    return default.lower() if colour is None or colour.is_default else colour.get_truecolor().hex.lower()
