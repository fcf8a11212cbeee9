"""What happened, and why: one line per recorded write, with the time since the command that began its story."""

from __future__ import annotations

from kubelearn.graph.canvas import Line, cut, pad
from kubelearn.trace.chain import Span
from kubelearn.tui.texts import Texts
from kubelearn.tui.widgets.lines import Lines

#: Kinds of writes that say nothing to a learner: heartbeats and the like.
_NOISE = frozenset({"leases.coordination.k8s.io", "events", "events.events.k8s.io"})
_KEPT = 500
_ACTOR = 22


class Timeline(Lines):
    """`add` appends a span; the newest is at the bottom."""

    def __init__(self, texts: Texts) -> None:
        super().__init__("timeline", tail=True)
        self._texts = texts
        self.border_title = texts["happened"]
        self._story = Story()
        self._told: list[tuple[float, Span, bool]] = []

    def add(self, span: Span) -> None:
        if is_noise(span):
            return
        self._told = [*self._told[1 - _KEPT :], self._story.place(span)]
        self._redraw()

    def on_mount(self) -> None:
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        if self.line_width < 20:
            return
        drawn = [line for told in self._told for line in lines_of(*told, self.line_width, self._texts["you"])]
        self.show_lines(drawn or [cut([(self._texts["nothing-happened"], "dim")], self.line_width)])


class Story:
    """Remembers when each command began, so that what follows from it can be told in time since then."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def place(self, span: Span) -> tuple[float, Span, bool]:
        """Seconds since its story began, the span, and whether it begins one."""
        cause = span.cause
        begins = cause.trace_id not in self._began
        began = self._began.setdefault(cause.trace_id, cause.at)
        if len(self._began) > 1000:
            self._began.pop(next(iter(self._began)))
        return cause.at - began, span, begins


def is_noise(span: Span) -> bool:
    return span.group_resource in _NOISE or (span.group_resource == "nodes" and "Ready" not in span.summary)


def lines_of(since: float, span: Span, begins: bool, width: int, you: str) -> list[Line]:
    """The lines that tell of a span: the command that began the story, if it did, and the write."""
    cause = span.cause
    told: list[Line] = []
    if begins and cause.command:
        told.append([(" " * 10, ""), *pad([(you, "accent")], _ACTOR), (" ", ""), (cause.command, "accent")])
    actor = "API server" if cause.command else cause.actor
    what = f"{span.group_resource.partition('.')[0]}/{span.name}: {span.summary}"
    revision = f"  r{span.revision}"
    line: Line = [(f"{_time(since):>8}  ", "dim"), *pad([(actor, "title")], _ACTOR), (" ", ""), (what, "")]
    told.append([*pad(line, width - len(revision)), (revision, "dim")])
    return [pad(line, width) for line in told]


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.0f} s"
