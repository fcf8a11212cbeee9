"""Columns aligned as Go's text/tabwriter aligns them, with kubectl's extension that remembers widths.

A column is a block of adjacent lines that have that cell; a line's last cell belongs to no column. Tables use
(6, 3, remember), descriptions (0, 2).
"""

from __future__ import annotations


class TabWriter:
    """Collect text with tabs; `take` gives it aligned. Widths are remembered over `take` if asked for."""

    def __init__(self, min_width: int = 6, padding: int = 3, remember: bool = False) -> None:
        self.min_width = min_width
        self.padding = padding
        self._remembered: list[int] | None = [] if remember else None
        self._text: list[str] = []

    def write(self, text: str) -> None:
        self._text.append(text)

    def forget(self) -> None:
        """Start a new table: widths of the former one no longer count."""
        if self._remembered is not None:
            self._remembered = []

    def raw(self) -> str:
        """All of it as it was written."""
        text, self._text = "".join(self._text), []
        return text

    def take(self) -> str:
        text = self.raw()
        if "\t" not in text and "\f" not in text:
            return text
        lines = [line.split("\t") for line in text.replace("\f", "\n").split("\n")]
        out: list[str] = []
        self._format(lines, 0, len(lines), [], out)
        return "\n".join(out)

    def _format(self, lines: list[list[str]], start: int, end: int, widths: list[int], out: list[str]) -> None:
        column = len(widths)
        at = start
        while at < end:
            if column >= len(lines[at]) - 1:
                at += 1
                continue
            self._write(lines, start, at, widths, out)
            start = at
            width = self.min_width
            while at < end and column < len(lines[at]) - 1:
                width = max(width, len(lines[at][column]) + self.padding)
                at += 1
            width = self._recall(column, width)
            self._format(lines, start, at, [*widths, width], out)
            start = at
        self._write(lines, start, end, widths, out)

    def _recall(self, column: int, width: int) -> int:
        if self._remembered is None:
            return width
        if column == len(self._remembered):
            self._remembered.append(width)
        elif column < len(self._remembered):
            width = self._remembered[column] = max(width, self._remembered[column])
        return width

    @staticmethod
    def _write(lines: list[list[str]], start: int, end: int, widths: list[int], out: list[str]) -> None:
        for cells in lines[start:end]:
            out.append(
                "".join(c.ljust(widths[i]) if i < len(widths) and i < len(cells) else c for i, c in enumerate(cells))
            )


def aligned(text: str, min_width: int = 0, padding: int = 2) -> str:
    """A whole text at once, as descriptions are."""
    writer = TabWriter(min_width, padding)
    writer.write(text)
    return writer.take()
