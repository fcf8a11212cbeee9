"""The lesson pane: above, what there is to read and to predict; below and always in view, what to do and its checks."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kubelearn.lessons.engine import Checked
from kubelearn.lessons.prose import Predict, StepProse
from kubelearn.tui.styles import prose, styles
from kubelearn.tui.texts import Texts


class Prose:
    """Markdown in the theme's colours."""

    def __init__(self, text: str, theme: str) -> None:
        self._text, self._theme = text, theme

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with console.use_theme(prose(self._theme)):
            yield from console.render(Markdown(self._text), options)


class Question(OptionList):
    """The options of a question before the reveal; `Answered` tells the choice (they count from 1)."""

    class Answered(Message):
        def __init__(self, option: int) -> None:
            super().__init__()
            self.option = option

    def __init__(self, predict: Predict, chosen: int) -> None:
        super().__init__(id="question", compact=True)
        self._predict, self._chosen = predict, chosen

    def on_mount(self) -> None:
        self.add_options([Option(self._prompt(i)) for i in range(1, len(self._predict.options) + 1)])
        self.highlighted = None

    def _prompt(self, number: int) -> Table:
        option, colours = self._predict.options[number - 1], styles(self.app.theme)
        row = Table.grid(padding=(0, 1, 0, 0))
        text = Text(option.text)
        if number == self._chosen:
            mark, colour = ("✔", colours["running"]) if option.right else ("✗", colours["failed"])
            text.append(f"\n{mark} {option.why}", colour)
        row.add_row(Text(f"{'◉' if number == self._chosen else '○'} {number}"), text)
        return row

    def choose(self, number: int) -> bool:
        """Choose as if clicked; False when there is no such option."""
        if not 1 <= number <= len(self._predict.options):
            return False
        self._chosen = number
        for i in range(len(self._predict.options)):
            self.replace_option_prompt_at_index(i, self._prompt(i + 1))
        self.post_message(self.Answered(number))
        return True

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.choose(event.option_index + 1)


class Reading(VerticalScroll, can_focus=False):
    """Tells when there is more below, and when there is not."""

    class More(Message):
        def __init__(self, below: bool) -> None:
            super().__init__()
            self.below = below

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._tell()

    def watch_virtual_size(self) -> None:
        self._tell()

    def on_resize(self) -> None:
        self._tell()

    def _tell(self) -> None:
        self.call_after_refresh(lambda: self.post_message(self.More(self.scroll_y < self.max_scroll_y)))


class LessonPane(Vertical):
    """Shows one step at a time; the app tells it what the checks saw."""

    def __init__(self, texts: Texts) -> None:
        super().__init__(id="lesson")
        self._texts = texts
        self._words: StepProse | None = None
        self._told = ""

    def compose(self) -> ComposeResult:
        yield Reading(id="prose")
        with VerticalScroll(id="todo", can_focus=False):
            yield Static(id="task")
            yield Static(id="checks")
            yield Static(id="aside")

    async def show(self, title: str, number: str, introduction: str, words: StepProse, chosen: int) -> None:
        """Replace what is shown by a step; `introduction` goes before it."""
        self.border_title, self.border_subtitle = title, number
        self._words, self._told = words, ""
        for name in ("#task", "#checks", "#aside"):  # before anything is awaited: the next look may come meanwhile
            self.query_one(name, Static).update("")
        reading = self.query_one(Reading)
        await reading.remove_children()
        await reading.mount(self._prose(f"{introduction}\n\n## {words.title}\n\n{words.text}"))
        if words.predict is not None:
            question = f"**{self._texts['predict']}** {words.predict.question} *({self._texts['answer']})*"
            await reading.mount(self._prose(question, "asked"), Question(words.predict, chosen))
        await reading.mount(Static(id="debrief"))
        task = f"**{self._texts['task']}** {words.task}" if words.task else ""
        self.query_one("#task", Static).update(Prose(task, self.app.theme))
        reading.scroll_home(animate=False)

    def _prose(self, text: str, classes: str = "") -> Static:
        return Static(Prose(text, self.app.theme), classes=classes)

    def on_reading_more(self, message: Reading.More) -> None:
        self.query_one("#todo").border_title = self._texts["more"] if message.below else ""

    def checks(self, checked: list[Checked], going_on: str) -> None:
        """Tick what is right, and say what is seen and what is wanted where it is not; `going_on` when all is."""
        colours = styles(self.app.theme)
        text = Text()
        for item in checked:
            result = item.result
            quiz = item.check.type == "quiz"
            if result.passed:
                text.append(f"✔ {self._texts['quiz'] if quiz else result.seen}\n", colours["running"])
            elif quiz:
                text.append(f"○ {self._texts['quiz']}\n")
            else:
                text.append(f"○ {self._texts['wanted']}: {result.wanted}\n")
                text.append(f"  {self._texts['seen']}: {result.seen}\n", colours["dim"])
        text.append(going_on, f"bold {colours['accent']}")
        text.rstrip()
        if text.markup != self._told:
            self._told = text.markup
            self.query_one("#checks", Static).update(text)

    def aside(self, title: str, text: str) -> None:
        """A hint or a solution, beside the task."""
        self.query_one("#aside", Static).update(Prose(f"**{title}** {text}", self.app.theme))
        self.call_after_refresh(self.query_one("#todo").scroll_end, animate=False)

    def debrief(self) -> None:
        """The step is solved: show why it worked."""
        if self._words is None or not self._words.debrief:
            return
        text = f"**{self._texts['debrief']}**\n\n{self._words.debrief}"
        self.query_one("#debrief", Static).update(Prose(text, self.app.theme))
        self.call_after_refresh(self.query_one(Reading).scroll_end, animate=False)

    def page(self, by: int) -> None:
        """Scroll what there is to read by pages."""
        reading = self.query_one(Reading)
        reading.scroll_relative(y=by * max(1, reading.size.height - 2), animate=False)

    def answer(self, number: int) -> bool:
        """Answer this step's question; False when there is none, or no such option."""
        questions = self.query(Question)
        return bool(questions) and questions.first().choose(number)
