"""The live picture: redraws when the cluster moved, at most twenty times a second, and never otherwise."""

from __future__ import annotations

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from kubelearn.graph import model, views
from kubelearn.graph.render.text import lines
from kubelearn.graph.snapshot import Snapshot
from kubelearn.tui.styles import styled


class Picture(VerticalScroll):
    """`show` takes a new snapshot; F2 goes to the next view."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._view = "architecture"
        self._snapshot = Snapshot()
        self._drawn = Static("", id="drawn")

    def compose(self):  # type: ignore[no-untyped-def]
        yield self._drawn

    def on_mount(self) -> None:
        self.set_view(self._view)

    def set_view(self, view: str) -> None:
        self._view = view if view in views.VIEWS else "architecture"
        self.border_title = self._view
        self.redraw()

    def next_view(self) -> None:
        names = list(views.VIEWS)
        self.set_view(names[(names.index(self._view) + 1) % len(names)])

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        width = self.scrollable_content_region.width
        if width < 20:
            return
        graph = views.view(model.build(self._snapshot), self._view)
        drawn = lines(graph, self._snapshot, self._view, width)
        self._drawn.update(styled(drawn, self.app.theme) if drawn else Text(""))
