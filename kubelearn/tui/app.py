"""The app: panes, keys, and the background work that feeds them.

Everything shown comes over the Kubernetes API: the picture from informers, the timeline from recorded spans, the ticks
from the lesson's checks. Background work calls the panes' methods on the same loop; panes post messages back. No key
waits for the cluster: whatever asks it runs in the background.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Resource
from kubelearn.client.rest import Client
from kubelearn.client.transport import TransportError
from kubelearn.graph.snapshot import LiveSnapshot, Snapshot
from kubelearn.kit.errors import KubelearnError
from kubelearn.kit.tasks import Tasks
from kubelearn.trace.chain import from_object
from kubelearn.tui import gates
from kubelearn.tui.course import Course, CourseFinished
from kubelearn.tui.shell import Shell
from kubelearn.tui.styles import THEMES
from kubelearn.tui.texts import TEXTS
from kubelearn.tui.widgets.keys import KeyBar
from kubelearn.tui.widgets.lesson import LessonPane, Question
from kubelearn.tui.widgets.picture import Picture
from kubelearn.tui.widgets.shell import ShellPane
from kubelearn.tui.widgets.status import StatusBar
from kubelearn.tui.widgets.timeline import Timeline

SPANS = Resource("kubelearn.dev", "v1alpha1", "Span", "spans", "span", False)
_FRAME = 0.05
_LOOK = 0.2
_LATELY = 200  # revisions
_ACTIONS = ("hint", "view", "solution", "next", "continue", "pause", "step", "fold", "quit")


class KubelearnApp(App[int]):
    """`home` is the cluster's folder, where progress is kept; `lesson_id` empty goes on where the learner stopped."""

    CSS_PATH = "app.tcss"
    TITLE = "kubelearn"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "hint"),
        Binding("f2", "view"),
        Binding("f3", "solution"),
        Binding("f4", "next"),
        Binding("f5", "continue"),
        Binding("f6", "pause"),
        Binding("f7", "focus_next", priority=True),
        Binding("shift+f7", "focus_previous", priority=True),
        Binding("f8", "step"),
        Binding("pagedown", "page(1)"),
        Binding("pageup", "page(-1)"),
        Binding("ctrl+l", "fold", priority=True),
        Binding("ctrl+q", "quit", priority=True),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (100, "-normal"), (180, "-wide")]  # noqa: RUF012  textual's
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high")]  # noqa: RUF012  textual declares them instance variables

    def __init__(
        self, client: Client, shell: Shell, home: Path, *, cluster: str, language: str = "en", lesson_id: str = ""
    ) -> None:
        super().__init__()
        self._client, self._shell = client, shell
        self._language, self._texts = language, TEXTS[language]
        self._background = Tasks("tui", self._failed)
        self._live = LiveSnapshot(client, self._moved)
        self._dirty, self._unseen = asyncio.Event(), asyncio.Event()
        self._command: asyncio.Task[Any] | None = None
        self._typed: deque[str] = deque()
        self._began = 0.0
        self._course = Course(client, home, language, lesson_id)
        self._cluster = cluster

    def compose(self) -> ComposeResult:
        yield StatusBar(self._cluster, self._texts, self._language)
        with Horizontal(id="panes"):
            yield LessonPane(self._texts)
            with Vertical(id="right"):
                with Container(id="scene"):
                    yield Picture(self._texts, self._language)
                    yield Timeline(self._texts)
                yield ShellPane(self._texts, self._shell.history())
        yield Static(self._texts["small"], id="small")
        yield KeyBar(self._texts)

    async def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "kubelearn-dark"
        self._pane.focus_line()
        self._pane.set_namespace(self._shell.namespace())
        self._background.start(self._persist(lambda: self._live.start(self._background)), "snapshot")
        self._background.start(self._spans(), "spans")
        self._background.start(self._redraw(), "redraw")
        self._background.start(self._look(), "look")
        self._background.start(self._open_lesson(), "lesson")

    async def on_unmount(self) -> None:
        await self._background.close()

    @property
    def _pane(self) -> ShellPane:
        return self.query_one(ShellPane)

    def snapshot(self) -> Snapshot:
        """The cluster as the picture shows it now."""
        return self._live.current()

    # background work

    def _failed(self, task: str, error: BaseException) -> None:
        """A fault of kubelearn's own: it shows, and the rest goes on."""
        self._pane.write(f"{task}: {error!r}\n")

    async def _persist(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`, again and again while the cluster cannot be reached; the status bar says so meanwhile."""
        while True:
            try:
                await work()
            except (TransportError, ApiError) as error:
                self.query_one(StatusBar).set_problem(str(error))
                await asyncio.sleep(1)
            else:
                self.query_one(StatusBar).set_problem("")
                return

    async def _once(self, work: Awaitable[None]) -> None:
        """Do what a key asked for; when it cannot be done, say why."""
        try:
            await work
        except (TransportError, ApiError, KubelearnError) as error:
            self._pane.write(f"{error}\n")

    def _moved(self) -> None:
        self._dirty.set()
        self._unseen.set()

    async def _redraw(self) -> None:
        """Draw when something moved, at most every frame."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            snapshot = self.snapshot()
            self.query_one(Picture).show(snapshot)
            self.query_one(StatusBar).show(snapshot)
            await asyncio.sleep(_FRAME)

    async def _look(self) -> None:
        """Tick the checks of the current step when something moved."""
        bar = self.query_one(StatusBar)
        while True:
            await self._unseen.wait()
            self._unseen.clear()
            was_solved = self._course.solved
            try:
                checked = await self._course.look()
            except (TransportError, ApiError) as error:
                bar.set_problem(str(error))
                self._unseen.set()
            else:
                bar.set_problem("")
                if checked is not None:
                    solved = self._course.solved
                    going_on = self._texts["finished" if self._course.is_last_step else "done"] if solved else ""
                    self.query_one(LessonPane).checks(checked, going_on)
                    if solved and not was_solved:
                        self.query_one(LessonPane).debrief()
            await asyncio.sleep(_LOOK)

    async def _spans(self) -> None:
        """Feed the timeline: what was written lately, as far as the store remembers, then what is written."""
        timeline = self.query_one(Timeline)
        version, back = "", _LATELY
        while True:
            try:
                if not version:
                    listed = await self._client.list(SPANS, limit=1)
                    version = str(max(1, int(listed["metadata"]["resourceVersion"]) - back))
                    back = 0
                async for event in self._client.watch(SPANS, resource_version=version):
                    if event.type in ("ADDED", "MODIFIED"):
                        version = event.object["metadata"]["resourceVersion"]
                        timeline.add(from_object(event.object))
            except ApiError as error:
                if error.code == 404:
                    return
                version = ""
            except TransportError:
                pass
            await asyncio.sleep(1)

    # lessons

    async def _open_lesson(self) -> None:
        bar = self.query_one(StatusBar)
        bar.set_lesson(self._texts["set-up"])
        try:
            await self._persist(self._course.open)
        except CourseFinished:
            bar.set_lesson("")
            self._pane.say(self._texts["course-finished"])
        except KubelearnError as error:
            bar.set_lesson("")
            self._pane.write(f"{error}\n" + (f"  {error.hint}\n" if error.hint else ""))
        else:
            self._shell.enter(self._course.lesson.folder)
            files = sorted(f.name for f in self._course.lesson.folder.glob("*.yaml") if f.name != "lesson.yaml")
            if files:
                self._pane.say(self._texts["files"].format(files=", ".join(files)))
            await self._show_step()

    async def _show_step(self) -> None:
        course = self._course
        prose = course.lesson.prose[self._language]
        number = f"{course.number}/{len(course.lesson.steps)}"
        introduction = prose.introduction if course.number == 1 else ""
        pane = self.query_one(LessonPane)
        await pane.show(prose.title, number, introduction, course.words, course.answer)
        self.query_one(Picture).set_view(course.step.view)
        title = f"{self._texts['lesson']} {course.lesson.order} · {number} · {prose.title}"
        self.query_one(StatusBar).set_lesson(title)
        self._moved()

    def on_question_answered(self, message: Question.Answered) -> None:
        self._course.choose(message.option)
        self._pane.focus_line()
        self._unseen.set()

    # the shell

    def on_shell_pane_submitted(self, message: ShellPane.Submitted) -> None:
        """One line after another: what is typed while a command runs waits for its end, as in any terminal."""
        self._typed.append(message.line)
        if self._command is None or self._command.done():
            self._command = self._background.start(self._run_typed(), "command")
            self._began = asyncio.get_running_loop().time()
        elif asyncio.get_running_loop().time() - self._began > 1:
            self._pane.say(self._texts["busy"].format(line=message.line))

    async def _run_typed(self) -> None:
        while self._typed:
            await self._run_line(self._typed.popleft())

    async def _run_line(self, line: str) -> None:
        pane = self._pane
        pane.echo(line)
        if line.isdecimal() and self.query_one(LessonPane).answer(int(line)):
            return
        self._shell.remember(line)
        if line in ("exit", "quit"):
            self.exit(0)
        elif line == "clear":
            pane.clear()
        else:
            await self._execute(line)

    async def _execute(self, line: str) -> None:
        pane = self._pane
        try:
            code = await self._shell.execute(line, pane.write, pane.columns)
        finally:
            pane.flush()
        pane.set_namespace(self._shell.namespace())
        if code == 0:
            self._course.ran(line)
        self._unseen.set()

    def on_shell_pane_interrupted(self) -> None:
        if self._command is not None and not self._command.done():
            self._command.cancel()
            self._typed.clear()
        self._pane.echo("^C")

    def on_shell_pane_ended(self) -> None:
        self.exit(0)

    def on_shell_pane_wanted(self, message: ShellPane.Wanted) -> None:
        self._background.start(self._complete(message), "complete")

    async def _complete(self, message: ShellPane.Wanted) -> None:
        """What cannot be asked now completes to nothing."""
        with contextlib.suppress(TransportError, ApiError):
            found = await self._shell.complete(message.line.text, message.line.cursor)
            self._pane.offer(message.line, found)

    # keys

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        for action in _ACTIONS:
            title = self._texts[f"key-{action}"]
            yield SystemCommand(title, self._texts[f"help-{action}"], getattr(self, f"action_{action}"))
        yield SystemCommand(self._texts["help-theme"], "", self.action_change_theme)

    def action_hint(self) -> None:
        if not self._course.is_open:
            return
        found = self._course.hint()
        if found is None:
            self.query_one(LessonPane).aside(self._texts["no-hint"], "")
            return
        number, count, text = found
        self.query_one(LessonPane).aside(f"{self._texts['hint']} {number}/{count}", text)

    def action_solution(self) -> None:
        if not self._course.is_open:
            return
        lines = self._course.step.solution
        text = "\n\n".join(f"`{line}`" for line in lines) if lines else self._texts["no-solution"]
        self.query_one(LessonPane).aside(self._texts["solution"], f"\n\n{text}")

    def action_next(self) -> None:
        """Go on when the step is solved; after the last step, to the next lesson."""
        if not self._course.is_open:
            return
        if not self._course.solved:
            self._pane.say(self._texts["not-solved"])
        else:
            self._background.start(self._once(self._go_on()), "next")

    async def _go_on(self) -> None:
        if not self._course.is_last_step:
            await self._course.next_step()
            await self._show_step()
            return
        await self._course.finish()
        await self._open_lesson()

    def action_view(self) -> None:
        """The next view; on a narrow screen the lesson takes its turn too."""
        picture = self.query_one(Picture)
        if not self.screen.has_class("-narrow"):
            picture.next_view()
        elif not self.screen.has_class("-picture"):
            self.screen.add_class("-picture")
        elif picture.next_view():
            self.screen.remove_class("-picture")

    def action_page(self, by: int) -> None:
        self.query_one(LessonPane).page(by)

    def action_fold(self) -> None:
        self.query_one("#lesson").toggle_class("-folded")

    def action_pause(self) -> None:
        self._background.start(self._once(self._hold_all(paused=True)), "pause")

    def action_continue(self) -> None:
        self._background.start(self._once(self._hold_all(paused=False)), "continue")

    async def _hold_all(self, *, paused: bool) -> None:
        await gates.hold_all(self._client, paused=paused)
        self._pane.say(self._texts["all-held" if paused else "all-go"])

    def action_step(self) -> None:
        self._background.start(self._once(self._step()), "step")

    async def _step(self) -> None:
        """Deliver the oldest event that any component waits for."""
        seen = await gates.step(self._client)
        if seen is None:
            self._pane.say(self._texts["nothing-waits"])
        else:
            self._pane.say(self._texts["delivered"].format(component=seen.component, event=seen.event))
