"""What happened, and why: one line per recorded write, with the time since the command that began its story."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import RichLog

from kubelearn.trace.chain import Span
from kubelearn.tui.styles import STYLES

#: Kinds of writes that say nothing to a learner: heartbeats and the like.
_NOISE = frozenset({"leases.coordination.k8s.io", "events"})


class Timeline(RichLog):
    """`add` appends a span; the newest is at the bottom."""

    def __init__(self, title: str, id: str) -> None:
        super().__init__(id=id, max_lines=500, wrap=False, auto_scroll=True)
        self.border_title = title
        self._began: dict[str, float] = {}

    def add(self, span: Span) -> None:
        if span.group_resource in _NOISE or (span.group_resource == "nodes" and "Ready" not in span.summary):
            return
        cause = span.cause
        new = cause.trace_id not in self._began
        began = self._began.setdefault(cause.trace_id, cause.at)
        if len(self._began) > 1000:
            self._began.pop(next(iter(self._began)))
        styles = STYLES.get(self.app.theme, STYLES["kubelearn-dark"])
        if new and cause.command:
            self.write(
                Text.assemble(("     0 ms  ", styles["dim"]), ("you".ljust(24), styles["accent"]), cause.command)
            )
        since = f"{(cause.at - began) * 1000:>6.0f} ms  "
        what = f"{span.group_resource.partition('.')[0]}/{span.name}: {span.summary}"
        actor = cause.actor if not cause.command else "API server"
        self.write(
            Text.assemble(
                (since, styles["dim"]),
                (actor[:23].ljust(24), styles["title"]),
                what,
                (f"  r{span.revision}", styles["dim"]),
            )
        )
