"""The shell pane: output above, completions when asked for, and the line. It says what was typed; the app runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from kubelearn.graph.canvas import cut, pad
from kubelearn.tui.completing import Candidate, Completion, Line
from kubelearn.tui.texts import Texts
from kubelearn.tui.widgets.command import CommandLine
from kubelearn.tui.widgets.output import Output


class ShellPane(Vertical):
    """`Submitted` carries a typed line; `Wanted` asks for completions of a line at a cursor."""

    class Submitted(Message):
        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    class Wanted(Message):
        def __init__(self, line: Line) -> None:
            super().__init__()
            self.line = line

    class Interrupted(Message):
        """Ctrl-C: end the running command."""

    class Ended(Message):
        """Ctrl-D on an empty line: leave."""

    def __init__(self, texts: Texts, history: Sequence[str] = ()) -> None:
        super().__init__(id="shell")
        self._texts = texts
        self._output = Output()
        self._line = CommandLine(self._key, history)
        self._menu = OptionList(id="menu", compact=True)
        self._menu.can_focus = False
        self._completion: Completion | None = None

    def compose(self) -> ComposeResult:
        yield self._output
        yield self._menu
        with Horizontal(id="prompt"):
            yield Static("❯ ", id="mark")
            yield self._line

    def on_mount(self) -> None:
        self._menu.display = False
        self.border_title = self._texts["shell"]
        self.say(self._texts["welcome"])

    @property
    def columns(self) -> int:
        """How wide output may be."""
        return max(20, self._output.line_width)

    def set_namespace(self, namespace: str) -> None:
        self.border_subtitle = f"{self._texts['namespace']} {namespace}"

    def focus_line(self) -> None:
        self._line.focus()

    # output

    def write(self, text: str) -> None:
        """Append output as it comes."""
        self._output.write(text)

    def flush(self) -> None:
        """The command ended: show what is left of its last line."""
        self._output.flush()

    def say(self, text: str) -> None:
        """A remark of the app's own."""
        self._output.say(text, "dim")

    def echo(self, line: str) -> None:
        self._output.say(f"❯ {line}", "title")

    def clear(self) -> None:
        self._output.clear()

    # completion

    def offer(self, line: Line, candidates: Sequence[Candidate]) -> None:
        """Completions of `line`: fill in what they begin with, and let choose. Late ones for another line are dropped."""
        if line != self._line.line:
            return
        completion = Completion(line, candidates)
        begun = completion.begun()
        self._line.line = begun
        if len(candidates) < 2:
            self._close()
            return
        self._completion = Completion(begun, candidates)
        self._show_menu(candidates)

    def _show_menu(self, candidates: Sequence[Candidate]) -> None:
        self._menu.clear_options()
        width = max(len(c.text) for c in candidates) + 2
        room = self.columns
        for c in candidates:
            pieces = cut([*pad([(c.text, "")], width), (c.description.partition("\n")[0], "dim")], room)
            self._menu.add_option(Option(Text.assemble(*pieces)))
        self._menu.highlighted = None
        self._menu.display = True

    def _close(self) -> None:
        self._completion = None
        self._menu.display = False

    def _choose(self, completion: Completion) -> None:
        self._completion = completion
        self._menu.highlighted = completion.chosen
        self._line.line = completion.now()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self._completion is not None:
            chosen = Completion(self._completion.line, self._completion.candidates, event.option_index).now()
            self._line.line = chosen.with_word(chosen.cursor, " ")
            self._close()
        self.focus_line()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._completion is not None and event.value not in (
            self._completion.now().text,
            self._completion.line.text,
        ):
            self._close()

    # keys

    def _key(self, key: str) -> bool:
        choosing = self._completion is not None
        keys: dict[str, Callable[[], object]] = {
            "enter": self._enter,
            "tab": lambda: self._complete(1),
            "ctrl+c": self._interrupt,
        }
        if choosing:
            keys |= {
                "shift+tab": lambda: self._complete(-1),
                "up": lambda: self._complete(-1),
                "down": lambda: self._complete(1),
                "escape": self._dismiss,
            }
        if not self._line.value:
            keys["ctrl+d"] = lambda: self.post_message(self.Ended())
        if key in keys:
            keys[key]()
        return key in keys

    def _complete(self, by: int) -> None:
        if self._completion is not None:
            self._choose(self._completion.move(by))
        else:
            self.post_message(self.Wanted(self._line.line))

    def _dismiss(self) -> None:
        if self._completion is not None:
            self._line.line = self._completion.line
            self._close()

    def _interrupt(self) -> None:
        self._close()
        if self._line.value:
            self.echo(f"{self._line.value}^C")
            self._line.value = ""
        else:
            self.post_message(self.Interrupted())

    def _enter(self) -> None:
        """The line, or several that were pasted: taken, and the next one is empty at once."""
        text, self._line.value = self._line.value, ""
        self._close()
        for line in text.splitlines():
            if line.strip():
                self._line.remember(line.strip())
                self.post_message(self.Submitted(line.strip()))
