"""The top line: which cluster, how many nodes, which lesson, whether something is held, and the revision."""

from __future__ import annotations

from kubelearn.graph.canvas import Line, pad, width_of
from kubelearn.graph.node_type import node_types
from kubelearn.graph.snapshot import Snapshot
from kubelearn.graph.state import State
from kubelearn.tui.texts import Texts
from kubelearn.tui.widgets.lines import Lines


class StatusBar(Lines, can_focus=False):
    """`show` takes a new snapshot; the lesson and a problem are set as they change."""

    def __init__(self, cluster: str, texts: Texts, language: str) -> None:
        super().__init__("status")
        self._cluster, self._texts, self._language = cluster.removeprefix("kubelearn-"), texts, language
        self._lesson = ""
        self._problem = ""
        self._snapshot = Snapshot()

    def set_lesson(self, text: str) -> None:
        self._lesson = text
        self._draw()

    def set_problem(self, text: str) -> None:
        """A fault that the learner must know of, empty when it is over."""
        if text != self._problem:
            self._problem = text
            self._draw()

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        """What is left out first where not all fits: the language, the revision."""
        width, left = self.line_width, self._left()
        held, revision, language = self._right()
        right = next(
            (r for r in ([*held, *revision, *language], [*held, *revision]) if width_of([*left, *r]) + 3 <= width), held
        )
        self.show_lines([[*pad(left, max(0, width - width_of(right) - 2)), ("  ", ""), *right]])

    def _left(self) -> Line:
        nodes = self._snapshot.of("nodes")
        ready = sum(node_types()["Node"].state(n) is State.RUNNING for n in nodes)
        line: Line = [("kubelearn", "title")]
        if self._problem:
            return [*line, (f"   ✗ {self._texts['lost'].format(problem=self._problem)}", "failed")]
        line.append((f"   {self._cluster} · {self._texts['nodes'].format(ready=ready, all=len(nodes))}", ""))
        return [*line, (f"   {self._lesson}", "accent")] if self._lesson else line

    def _right(self) -> tuple[Line, Line, Line]:
        gates = self._snapshot.of("gates.kubelearn.dev")
        waiting = sum(len(g.get("status", {}).get("waiting", ())) for g in gates)
        held = any(g.get("spec", {}).get("paused") for g in gates)
        revision = self._texts["revision"].format(revision=self._snapshot.revision)
        return (
            [(self._texts["held"].format(count=waiting), "held")] if held else [],
            [(f"   {revision}", "dim")],
            [(f"   {self._language}", "dim")],
        )
