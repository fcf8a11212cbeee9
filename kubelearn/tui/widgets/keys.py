"""The bottom line: the keys and what they do, as many as fit; a click does the same."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from kubelearn.graph.canvas import columns
from kubelearn.tui.styles import style
from kubelearn.tui.texts import Texts

#: Key as shown, and the action, which is also the key of its text.
KEYS = (
    ("F1", "hint"), ("F2", "view"), ("F3", "solution"), ("F4", "next"), ("F5", "continue"), ("F6", "pause"),
    ("F7", "focus"), ("F8", "step"), ("^L", "fold"), ("^P", "commands"),
)  # fmt: skip
#: What is left out first where not all fit.
_DISPENSABLE = ("commands", "fold", "focus", "solution", "pause", "view")
_QUIT = ("^Q", "quit")


class KeyBar(Static):
    def __init__(self, texts: Texts) -> None:
        super().__init__(id="keys")
        self._texts = texts

    def on_resize(self) -> None:
        self.update(self._text(self.size.width))

    def _text(self, width: int) -> Text:
        shown = [*KEYS, _QUIT]
        for action in _DISPENSABLE:
            if sum(self._width(*key) for key in shown) > width + 1:
                shown = [key for key in shown if key[1] != action]
        text = Text(no_wrap=True)
        for key in shown:
            text.append_text(self._piece(*key))
        return text

    def _width(self, key: str, action: str) -> int:
        return columns(key) + columns(self._texts[f"key-{action}"]) + 2

    def _piece(self, key: str, action: str) -> Text:
        names = {"focus": "focus_next", "commands": "command_palette"}
        click = Style(meta={"@click": f"app.{names.get(action, action)}"})
        accent = style(self.app.theme, "accent") + Style(bold=True)
        return Text.assemble((key, accent + click), (f" {self._texts[f'key-{action}']}", click), " ")
