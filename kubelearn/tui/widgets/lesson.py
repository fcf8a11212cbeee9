"""The lesson pane: prose, the predict question, the task, and checks that tick by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from rich.markdown import Markdown
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import RadioButton, RadioSet, Static

from kubelearn.lessons.engine import Checked
from kubelearn.lessons.model import Lesson, Step
from kubelearn.lessons.prose import Predict
from kubelearn.tui.styles import STYLES


class Prediction(Static):
    """The question before the reveal; `Answered` tells the choice (options count from 1)."""

    class Answered(Message):
        def __init__(self, option: int, right: bool) -> None:
            super().__init__()
            self.option, self.right = option, right

    def __init__(self, predict: Predict, title: str) -> None:
        super().__init__(id="predict")
        self._predict, self._title = predict, title

    def compose(self) -> ComposeResult:
        yield Static(Markdown(f"**{self._title}** {self._predict.question}"))
        with RadioSet():
            for option in self._predict.options:
                yield RadioButton(option.text)
        yield Static("", id="reveal")

    def on_radio_set_changed(self, event: RadioSet.Changed) -> None:
        option = self._predict.options[event.index]
        mark, style = ("✔ ", "running") if option.right else ("✗ ", "failed")
        colour = STYLES.get(self.app.theme, STYLES["kubelearn-dark"])[style]
        self.query_one("#reveal", Static).update(Text(mark + option.why, colour))
        self.post_message(self.Answered(event.index + 1, option.right))


class LessonPane(VerticalScroll):
    """Shows one step at a time; the app tells it what the checks saw."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__(id="lesson")
        self._texts = texts
        self._debrief = ""

    async def show(self, lesson: Lesson, step: Step, language: str) -> None:
        """Replace what is shown by a step."""
        prose = lesson.prose[language]
        words = prose.steps[step.id]
        number = [s.id for s in lesson.steps].index(step.id) + 1
        self.border_title = prose.title
        self.border_subtitle = f"{number}/{len(lesson.steps)} {words.title}"
        self._debrief = words.debrief
        introduction = prose.introduction if number == 1 else ""
        await self.remove_children()
        await self.mount(Static(Markdown(f"{introduction}\n\n## {words.title}\n\n{words.text}")))
        if words.predict is not None:
            await self.mount(Prediction(words.predict, self._texts["predict"]))
        if words.task:
            await self.mount(Static(Markdown(f"**{self._texts['task']}**\n\n{words.task}")))
        await self.mount(Static("", id="checks"), Static("", id="hint"), Static("", id="debrief"))
        self.scroll_home(animate=False)

    def checks(self, checked: list[Checked]) -> None:
        """Tick what is right, and say what is seen and what is wanted where it is not."""
        if not self.query("#checks"):
            return
        styles = STYLES.get(self.app.theme, STYLES["kubelearn-dark"])
        text = Text()
        for item in checked:
            result = item.result
            if result.passed:
                text.append(f"✔ {result.seen}\n", styles["running"])
            else:
                text.append(f"○ {self._texts['wanted']}: {result.wanted}\n")
                text.append(f"  {self._texts['seen']}: {result.seen}\n", styles["dim"])
        self.query_one("#checks", Static).update(text)

    def hint(self, text: str) -> None:
        self.query_one("#hint", Static).update(Markdown(f"> {text}"))
        self.call_after_refresh(self.scroll_end, animate=False)

    def done(self, last: bool) -> None:
        """The step is solved: show why it worked and how to go on."""
        going_on = self._texts["finished" if last else "done"]
        text = (
            f"**{self._texts['debrief']}**\n\n{self._debrief}\n\n**✔ {going_on}**"
            if self._debrief
            else f"**✔ {going_on}**"
        )
        self.query_one("#debrief", Static).update(Markdown(text))
        self.call_after_refresh(self.scroll_end, animate=False)
