"""The live picture: redraws when the cluster moved, at most twenty times a second, and never otherwise."""

from __future__ import annotations

from kubelearn.graph import model, views
from kubelearn.graph.render.text import lines
from kubelearn.graph.snapshot import Snapshot
from kubelearn.graph.words import WORDS
from kubelearn.tui.texts import Texts
from kubelearn.tui.widgets.lines import Lines


class Picture(Lines):
    """`show` takes a new snapshot; `next_view` goes through the views."""

    def __init__(self, texts: Texts, language: str) -> None:
        super().__init__("picture")
        self._texts, self._words = texts, WORDS[language]
        self._view = "architecture"
        self._snapshot = Snapshot()

    def on_mount(self) -> None:
        self.set_view(self._view)

    def set_view(self, view: str) -> None:
        """An unknown view shows the architecture."""
        self._view = view if view in views.VIEWS else "architecture"
        self.border_title = self._texts[self._view]
        self.redraw()

    def next_view(self) -> bool:
        """True when it was the last one and the first is shown again."""
        names = list(views.VIEWS)
        self.set_view(names[(names.index(self._view) + 1) % len(names)])
        return self._view == names[0]

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._mark_more()

    def _mark_more(self) -> None:
        """Nothing is cut off without a mark."""
        self.border_subtitle = self._texts["more-lines"] if self.is_more_below() else ""

    def redraw(self) -> None:
        if self.line_width < 20:  # hidden, or not laid out yet
            return
        graph = views.view(model.build(self._snapshot), self._view)
        self.show_lines(lines(graph, self._snapshot, self._view, self.line_width, self._words))
        self._mark_more()
