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
        width = self.line_width
        right = self._right()
        room = width - width_of(right) - 2
        self.show_lines([[*pad(self._left(), room), ("  ", ""), *right]] if room > 10 else [pad(self._left(), width)])

    def _left(self) -> Line:
        nodes = self._snapshot.of("nodes")
        ready = sum(node_types()["Node"].state(n) is State.RUNNING for n in nodes)
        line: Line = [("kubelearn", "title")]
        if self._problem:
            return [*line, (f"   ✗ {self._texts['lost'].format(problem=self._problem)}", "failed")]
        line.append((f"   {self._cluster} · {self._texts['nodes'].format(ready=ready, all=len(nodes))}", ""))
        return [*line, (f"   {self._lesson}", "accent")] if self._lesson else line

    def _right(self) -> Line:
        gates = self._snapshot.of("gates.kubelearn.dev")
        waiting = sum(len(g.get("status", {}).get("waiting", ())) for g in gates)
        held = any(g.get("spec", {}).get("paused") for g in gates)
        line: Line = [(self._texts["held"].format(count=waiting) + "   ", "held")] if held else []
        revision = self._texts["revision"].format(revision=self._snapshot.revision)
        return [*line, (f"{revision}   {self._language}", "dim")]
