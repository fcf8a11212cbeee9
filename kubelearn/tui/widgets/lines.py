"""Styled lines that scroll. Only what is on the screen is turned into cells, so thousands of lines cost nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kubelearn.graph.canvas import Line
from kubelearn.tui.styles import style


class Lines(ScrollView, can_focus=True):
    """`show_lines` replaces all; with `tail` the newest line stays in view until the learner scrolls away."""

    def __init__(self, id: str, *, tail: bool = False) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._tail = tail

    @property
    def line_width(self) -> int:
        """Columns that a line may take."""
        return max(0, self.scrollable_content_region.width)

    @property
    def text(self) -> str:
        return "\n".join("".join(piece for piece, _ in line) for line in self._lines)

    def show_lines(self, lines: Sequence[Line]) -> None:
        if lines == self._lines:
            return
        at_end = self.scroll_offset.y >= self.max_scroll_y - 1
        self._lines = lines
        self.virtual_size = Size(self.line_width, len(lines))
        if self._tail and at_end:
            self.scroll_end(animate=False)
        self.refresh()

    def is_more_below(self) -> bool:
        """Whether lines are hidden below what is in view."""
        return self.scroll_offset.y + self.scrollable_content_region.height < len(self._lines)

    def render_line(self, y: int) -> Strip:
        number = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if number >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        theme, base = self.app.theme, self.rich_style
        pieces = [Segment(piece, base + style(theme, name)) for piece, name in self._lines[number]]
        return Strip(pieces).adjust_cell_length(width, base)
