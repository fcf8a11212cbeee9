"""What commands printed. Fitted to the pane's width anew whenever that changes: prose wraps; rows of a table, which cannot
be read when wrapped, move closer together, and what is still too long is cut with a mark."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.text import Text

from kubelearn.graph.canvas import Line, columns, cut
from kubelearn.tui.widgets.lines import Lines

_KEPT = 5000
_HEADER = re.compile(r"[A-Z][A-Z()/-]*(?: [A-Z()/-]+)*(?: {2,}[A-Z()/-]+(?: [A-Z()/-]+)*)+ *")


_GAP = re.compile(" {2,}")


@dataclass(frozen=True, slots=True)
class _Printed:
    """A line; `table` holds the columns at which the fields of its table begin, but the first."""

    text: str
    style: str
    table: tuple[int, ...] = ()


class Output(Lines):
    """`write` appends as it comes; `say` a whole line in a style."""

    def __init__(self) -> None:
        super().__init__("output", tail=True)
        self._printed: list[_Printed] = []
        self._fitted: list[Line] = []
        self._partial = ""
        self._table: tuple[int, ...] = ()

    def write(self, text: str) -> None:
        """A line that is not yet ended is kept back until it is."""
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            plain = Text.from_ansi(line.rstrip("\r")).plain.expandtabs()
            if _HEADER.fullmatch(plain):
                self._table = tuple(m.end() for m in _GAP.finditer(plain.rstrip()))
            elif not plain:
                self._table = ()
            self._append(_Printed(plain, "", self._table))
        self._refit()

    def flush(self) -> None:
        """The command ended: show what is left of its last line."""
        if self._partial:
            self.write("\n")
        self._table = ()

    def say(self, text: str, style: str) -> None:
        self._append(_Printed(text, style))
        self._refit()

    def clear(self) -> None:
        self._printed, self._fitted = [], []
        self._refit()

    def _append(self, printed: _Printed) -> None:
        self._printed.append(printed)
        if self.line_width:
            self._fitted += fit(printed.text, printed.style, printed.table, self.line_width)

    def _refit(self) -> None:
        del self._printed[:-_KEPT], self._fitted[:-_KEPT]
        self.show_lines(list(self._fitted))

    def on_resize(self) -> None:
        self._fitted = [line for p in self._printed for line in fit(p.text, p.style, p.table, self.line_width)]
        self._refit()


def fit(text: str, style: str, table: tuple[int, ...], width: int) -> list[Line]:
    """The text in lines no wider than `width`: one for a row of a table, else as many as it takes."""
    if columns(text) <= width or width < 2:
        return [[(text, style)]]
    if table:
        return [cut([(_closer(text, table), style)], width)]
    lines: list[Line] = []
    while columns(text) > width:
        at = _break(text, width)
        lines.append([(text[:at], style)])
        text = text[at:].removeprefix(" ")
    return [*lines, [(text, style)]]


def _break(text: str, width: int) -> int:
    """Where to break: after the last word that fits, or within a word that is longer than half a line."""
    at, room = 0, width
    while (room := room - columns(text[at])) >= 0:
        at += 1
    space = text.rfind(" ", 0, at + 1)
    return space if space > at // 2 else at


def _closer(text: str, table: tuple[int, ...]) -> str:
    """A row with one space between its fields instead of three."""
    fields = [text[a:b] for a, b in zip((0, *table), (*table, len(text)), strict=True)]
    return "".join(f.removesuffix("  ") if i < len(table) else f for i, f in enumerate(fields))
