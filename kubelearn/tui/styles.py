"""Themes, and from the picture's styles to colours in each. Colour is always doubled by a glyph."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from rich.style import Style
from rich.theme import Theme as RichTheme
from textual.theme import Theme

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
    **_DARK, "running": "#56b4e9", "not-ready": "#e69f00", "starting": "#7f9fff", "failed": "bold #d55e00",
    "unknown": "#cc79a7", "held": "bold #f0e442", "accent": "#56b4e9",
}  # fmt: skip
_STYLES: Mapping[str, Mapping[str, str]] = {"kubelearn-dark": _DARK, "kubelearn-light": _LIGHT, "kubelearn-safe": _SAFE}

THEMES = (
    Theme("kubelearn-dark", primary="#b18cff", background="#0d1117", surface="#0d1117", panel="#161b22", dark=True),
    Theme("kubelearn-light", primary="#8250df", background="#ffffff", surface="#ffffff", panel="#eaeef2", dark=False),
    Theme("kubelearn-safe", primary="#56b4e9", background="#0d1117", surface="#0d1117", panel="#161b22", dark=True),
)


def styles(theme: str) -> Mapping[str, str]:
    """Colours by style name; another theme than ours gets those of the dark one."""
    return _STYLES.get(theme, _DARK)


@functools.cache
def style(theme: str, name: str) -> Style:
    return Style.parse(styles(theme)[name] or "none")


def prose(theme: str) -> RichTheme:
    """How Markdown looks: code in the accent colour, headings without decoration."""
    accent = styles(theme)["accent"]
    return RichTheme(
        {
            "markdown.code": accent,
            "markdown.h1": "bold",
            "markdown.h2": "bold",
            "markdown.block_quote": "none",
            "markdown.item.number": styles(theme)["dim"],
            "markdown.item.bullet": styles(theme)["dim"],
        }
    )
