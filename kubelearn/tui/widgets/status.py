"""The top line: which cluster, how many nodes, which lesson, whether something is held, and the revision."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual.widgets import Static

from kubelearn.graph.node_type import node_types
from kubelearn.graph.snapshot import Snapshot
from kubelearn.graph.state import State


class StatusBar(Static):
    def __init__(self, cluster: str, texts: Mapping[str, str], language: str) -> None:
        super().__init__(id="status")
        self._cluster, self._texts, self._language = cluster, texts, language
        self._lesson = ""
        self._problem = ""
        self._snapshot = Snapshot()

    def set_lesson(self, text: str) -> None:
        self._lesson = text
        self._draw()

    def set_problem(self, text: str) -> None:
        """A fault that the learner must know of, empty when it is over."""
        self._problem = text
        self._draw()

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._draw()

    def _draw(self) -> None:
        nodes = self._snapshot.of("nodes")
        ready = sum(node_types()["Node"].state(n) is State.RUNNING for n in nodes)
        gates = self._snapshot.of("gates.kubelearn.dev")
        held = any(g.get("spec", {}).get("paused") for g in gates)
        waiting = sum(len(g.get("status", {}).get("waiting", ())) for g in gates)
        pieces = [
            ("kubelearn", "bold"),
            (f"{self._cluster} · {ready}/{len(nodes)} {self._texts['nodes']}", ""),
            (self._lesson, ""),
            (f"⏸ {self._texts['held']} · {waiting} {self._texts['waiting']}" if held else "", "bold"),
            (f"rev {self._snapshot.revision}", ""),
            (self._language, ""),
        ]
        if self._problem:
            pieces.insert(1, (f"✗ {self._texts['lost']}{self._problem}", "bold reverse"))
        self.update(Text("   ").join(Text(text, style) for text, style in pieces if text))
