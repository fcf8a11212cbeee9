"""The line that is typed: history with the arrows, and keys that Textual's Input has other ideas about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.widgets import Input

from kubelearn.tui.completing import Line

_HISTORY = 500


class CommandLine(Input):
    """`handle` is asked first about each key and says whether it took it. It is called, not told by a message: a key
    must see what the key before it did, however fast they come."""

    def __init__(self, handle: Callable[[str], bool], history: Sequence[str] = ()) -> None:
        super().__init__(id="command", compact=True, select_on_focus=False)
        self._history = list(history)[-_HISTORY:]
        self._at = len(self._history)
        self._draft = ""
        self._handle = handle

    @property
    def line(self) -> Line:
        return Line(self.value, self.cursor_position)

    @line.setter
    def line(self, line: Line) -> None:
        self.value, self.cursor_position = line.text, line.cursor

    def remember(self, line: str) -> None:
        if line and line != (self._history[-1] if self._history else ""):
            self._history = [*self._history, line][-_HISTORY:]
        self._at, self._draft = len(self._history), ""

    def _recall(self, by: int) -> None:
        if self._at == len(self._history):
            self._draft = self.value
        self._at = max(0, min(len(self._history), self._at + by))
        text = self._history[self._at] if self._at < len(self._history) else self._draft
        self.line = Line(text, len(text))

    def _on_paste(self, event: events.Paste) -> None:
        """Whole lines that are pasted are run; what comes after the last line's end waits for more."""
        event.prevent_default()
        event.stop()
        whole, end, rest = event.text.replace("\r\n", "\n").rpartition("\n")
        if end:
            before, after = self.value[: self.cursor_position], self.value[self.cursor_position :]
            self.line = Line(before + whole, len(before + whole))
            self._handle("enter")
            self.line = Line(rest + after, len(rest))
        else:
            self.insert_text_at_cursor(rest)

    async def _on_key(self, event: events.Key) -> None:
        if self._handle(event.key):
            pass
        elif event.key in ("up", "down"):
            self._recall(-1 if event.key == "up" else 1)
        else:
            await super()._on_key(event)
            return
        event.prevent_default()
        event.stop()
