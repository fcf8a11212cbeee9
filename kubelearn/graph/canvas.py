"""Characters on a grid: lines of styled pieces, boxes, and wires that join and cross. Knows nothing of Kubernetes.

A line is a list of (text, style); what a style looks like is up to whoever shows it. Widths are terminal columns, where
an East Asian wide character takes two.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

Line = list[tuple[str, str]]

_NORTH, _EAST, _SOUTH, _WEST = 1, 2, 4, 8
_WIRES = " │─╰││╭├─╯─┴╮┤┬┼"  # by the sum of the directions that a cell is joined to


def columns(text: str) -> int:
    """Terminal columns of a text."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def width_of(line: Line) -> int:
    return sum(columns(text) for text, _ in line)


def cut(line: Line, width: int) -> Line:
    """The line at most `width` columns wide; what is cut off is marked by …"""
    if width_of(line) <= width:
        return line
    out: Line = []
    room = width - 1
    for text, style in line:
        kept = ""
        for char in text:
            room -= columns(char)
            if room < 0:
                return [*out, (kept + "…", style)]
            kept += char
        out.append((kept, style))
    return out


def pad(line: Line, width: int) -> Line:
    """The line exactly `width` columns wide."""
    line = cut(line, width)
    return [*line, (" " * (width - width_of(line)), "")]


def box(title: Line, body: list[Line], width: int, entries: Mapping[int, tuple[str, str]] | None = None) -> list[Line]:
    """A frame around `body`, `width` columns wide in all; `entries` replace the left frame beside a line of it."""
    head = cut(title, width - 5)
    rule = "─" * (width - 4 - width_of(head))
    top: Line = [("┌ ", "dim"), *head, (f" {rule}┐", "dim")]
    side = entries or {}
    middle: list[Line] = [
        [side.get(i, ("│", "dim")), (" ", ""), *pad(line, width - 3), ("│", "dim")] for i, line in enumerate(body)
    ]
    return [top, *middle, [("└" + "─" * (width - 2) + "┘", "dim")]]


class Canvas:
    """Pieces of lines at places, and wires behind them."""

    def __init__(self) -> None:
        self._pieces: dict[int, dict[int, Line]] = {}
        self._wires: dict[int, dict[int, tuple[int, str]]] = {}

    def put(self, x: int, y: int, line: Line) -> None:
        self._pieces.setdefault(y, {})[x] = line

    def down(self, x: int, top: int, bottom: int, style: str) -> None:
        for y in range(top, bottom + 1):
            self._join(x, y, (_NORTH if y > top else 0) | (_SOUTH if y < bottom else 0), style)

    def across(self, y: int, left: int, right: int, style: str) -> None:
        for x in range(left, right + 1):
            self._join(x, y, (_WEST if x > left else 0) | (_EAST if x < right else 0), style)

    def _join(self, x: int, y: int, directions: int, style: str) -> None:
        row = self._wires.setdefault(y, {})
        row[x] = (row.get(x, (0, ""))[0] | directions, style)

    def lines(self) -> list[Line]:
        height = max((*self._pieces, *self._wires), default=-1) + 1
        return [self._line(y) for y in range(height)]

    def _line(self, y: int) -> Line:
        line: Line = []
        x, wires = 0, self._wires.get(y, {})
        for at, piece in sorted(self._pieces.get(y, {}).items()):
            line += [_wire(wires, column) for column in range(x, at)] + piece
            x = at + width_of(piece)
        return line + [_wire(wires, column) for column in range(x, max(wires, default=-1) + 1)]


def _wire(wires: Mapping[int, tuple[int, str]], x: int) -> tuple[str, str]:
    directions, style = wires.get(x, (0, ""))
    return _WIRES[directions], style
