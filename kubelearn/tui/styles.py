"""From the picture's styles to colours, per theme. Colour is always doubled by a glyph."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from kubelearn.graph.render.text import Line

_DARK = {
    "running": "#3fb950", "not-ready": "#d29922", "starting": "#58a6ff", "terminating": "#8b949e",
    "failed": "#f85149", "succeeded": "#8b949e", "unknown": "#db61a2", "held": "bold #b18cff",
    "title": "bold", "dim": "#8b949e", "accent": "#b18cff", "": "",
}  # fmt: skip
_LIGHT = {
    **_DARK, "running": "#1a7f37", "not-ready": "#9a6700", "starting": "#0969da", "terminating": "#6e7781",
    "failed": "#cf222e", "dim": "#6e7781", "held": "bold #8250df", "accent": "#8250df",
}  # fmt: skip
#: Blue and orange, told apart by every kind of colour vision.
_SAFE = {
    **_DARK, "running": "#56b4e9", "not-ready": "#e69f00", "starting": "#0072b2", "failed": "bold #d55e00",
    "unknown": "#cc79a7",
}  # fmt: skip
STYLES: Mapping[str, Mapping[str, str]] = {"kubelearn-dark": _DARK, "kubelearn-light": _LIGHT, "kubelearn-safe": _SAFE}


def styled(lines: list[Line], theme: str) -> Text:
    """The picture's lines as one rich Text."""
    styles = STYLES.get(theme, _DARK)
    text = Text(no_wrap=True, overflow="crop")
    for number, line in enumerate(lines):
        if number:
            text.append("\n")
        for piece, style in line:
            text.append(piece, styles[style])
    return text
