"""The shell pane: output above, one line to type below, completion on Tab.

It shows what it is told and posts what was typed; the app runs the commands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, OptionList, RichLog
from textual.widgets.option_list import Option

_HISTORY = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """One completion: the text that replaces the line from `start`, and a word on what it is."""

    text: str
    start: int
    description: str = ""


class CommandLine(Input):
    """An Input with history and completion keys; Tab does not leave it."""

    class Complete(Message):
        """Tab was pressed: candidates are wanted, or the shown ones walked through."""

    class Interrupt(Message):
        """Ctrl-C, or Ctrl-D on an empty line."""

    def __init__(self) -> None:
        super().__init__(id="command", placeholder="❯", compact=True, select_on_focus=False)
        self._history: list[str] = []
        self._at = 0

    def remember(self, line: str) -> None:
        if line and line != (self._history[-1] if self._history else ""):
            self._history = [*self._history, line][-_HISTORY:]
        self._at = len(self._history)

    def _recall(self, by: int) -> None:
        self._at = max(0, min(len(self._history), self._at + by))
        self.value = self._history[self._at] if self._at < len(self._history) else ""
        self.cursor_position = len(self.value)

    async def _on_key(self, event: events.Key) -> None:
        actions: dict[str, Callable[[], object]] = {
            "up": lambda: self._recall(-1),
            "down": lambda: self._recall(1),
            "tab": lambda: self.post_message(self.Complete()),
            "ctrl+c": lambda: self.post_message(self.Interrupt()),
        }
        if event.key in actions:
            event.prevent_default()
            event.stop()
            actions[event.key]()
            return
        await super()._on_key(event)


class ShellPane(Vertical):
    """`Submitted` carries a typed line; `Wanted` asks for completions of a line at a cursor."""

    class Submitted(Message):
        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    class Wanted(Message):
        def __init__(self, text: str, cursor: int) -> None:
            super().__init__()
            self.text, self.cursor = text, cursor

    class Interrupted(Message):
        pass

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__(id="shell")
        self.border_title = texts["shell"]
        self._welcome = texts["welcome"]
        self._output = RichLog(id="output", max_lines=5000, wrap=True, auto_scroll=True)
        self._line = CommandLine()
        self._menu = OptionList(id="menu", compact=True)
        self._candidates: Sequence[Candidate] = ()
        self._partial = ""

    def compose(self) -> ComposeResult:
        yield self._output
        yield self._menu
        yield self._line

    def on_mount(self) -> None:
        self._menu.display = False
        self._output.write(Text(self._welcome, "dim"))

    def focus_line(self) -> None:
        self._line.focus()

    def write(self, text: str) -> None:
        """Append output as it comes; a line that is not yet ended is kept back until it is."""
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._output.write(Text.from_ansi(line.rstrip("\r")))

    def flush(self) -> None:
        """The command ended: show what is left of its last line."""
        if self._partial:
            self.write("\n")

    def echo(self, line: str) -> None:
        self._output.write(Text(f"❯ {line}", "bold"))

    def clear(self) -> None:
        self._output.clear()

    def offer(self, candidates: Sequence[Candidate]) -> None:
        """Show completions; a single one is taken at once, a common beginning is filled in."""
        self._candidates = candidates
        if len(candidates) == 1:
            self._take(candidates[0], " ")
            return
        self._menu.display = bool(candidates)
        if not candidates:
            return
        self._menu.clear_options()
        self._menu.add_options(
            Option(Text.assemble(c.text, (f"  {c.description}", "dim") if c.description else "")) for c in candidates
        )
        self._menu.highlighted = 0
        common = _common_prefix([c.text for c in candidates])
        start = candidates[0].start
        if all(c.start == start for c in candidates) and len(common) > len(self._line.value) - start:
            self._line.value = self._line.value[:start] + common
            self._line.cursor_position = len(self._line.value)

    def _take(self, candidate: Candidate, end: str = "") -> None:
        rest = self._line.value[self._line.cursor_position :]
        self._line.value = self._line.value[: candidate.start] + candidate.text + end + rest
        self._line.cursor_position = candidate.start + len(candidate.text) + len(end)
        self._menu.display = False

    def on_command_line_complete(self) -> None:
        if self._menu.display and self._candidates:
            chosen = ((self._menu.highlighted or 0) + 1) % len(self._candidates)
            self._menu.highlighted = chosen
            self._line.value = self._line.value[: self._candidates[chosen].start] + self._candidates[chosen].text
            self._line.cursor_position = len(self._line.value)
            return
        self.post_message(self.Wanted(self._line.value, self._line.cursor_position))

    def on_command_line_interrupt(self) -> None:
        if self._menu.display:
            self._menu.display = False
            return
        self._line.value = ""
        self.post_message(self.Interrupted())

    def on_input_changed(self, event: Input.Changed) -> None:
        chosen = self._candidates[self._menu.highlighted or 0] if self._candidates else None
        if self._menu.display and (chosen is None or not event.value.endswith(chosen.text)):
            self._menu.display = False

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self._take(self._candidates[event.option_index], " ")
        self._line.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._menu.display = False
        line = event.value
        self._line.value = ""
        self._line.remember(line.strip())
        self.post_message(self.Submitted(line))


def _common_prefix(texts: Sequence[str]) -> str:
    low, high = min(texts), max(texts)
    size = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:size]
