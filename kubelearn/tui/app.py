"""The app: panes, keys, and the background work that feeds them.

Everything shown comes over the Kubernetes API: the picture from informers, the timeline from recorded spans, the ticks
from the lesson's checks. Background work calls the panes' methods on the same loop; panes post messages back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.theme import Theme
from textual.widgets import Footer

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Resource
from kubelearn.client.rest import Client
from kubelearn.client.transport import TransportError
from kubelearn.graph.snapshot import GATES, LiveSnapshot
from kubelearn.kit.errors import KubelearnError
from kubelearn.kit.tasks import Tasks
from kubelearn.lessons import progress
from kubelearn.lessons.engine import LessonRun
from kubelearn.lessons.model import Lesson, find, load_all
from kubelearn.trace.chain import from_object
from kubelearn.tui.texts import TEXTS
from kubelearn.tui.widgets.lesson import LessonPane, Prediction
from kubelearn.tui.widgets.picture import Picture
from kubelearn.tui.widgets.shell import Candidate, ShellPane
from kubelearn.tui.widgets.status import StatusBar
from kubelearn.tui.widgets.timeline import Timeline

SPANS = Resource("kubelearn.dev", "v1alpha1", "Span", "spans", "span", False)
_FRAME = 0.05
_THEMES = (
    Theme("kubelearn-dark", primary="#b18cff", background="#0d1117", surface="#0d1117", panel="#161b22", dark=True),
    Theme("kubelearn-light", primary="#8250df", background="#ffffff", surface="#ffffff", panel="#eaeef2", dark=False),
    Theme("kubelearn-safe", primary="#56b4e9", background="#0d1117", surface="#0d1117", panel="#161b22", dark=True),
)


@dataclass(frozen=True, slots=True)
class Shell:
    """What the shell pane needs of a shell: run a line, complete a line."""

    execute: Callable[[str, Callable[[str], None]], Awaitable[int]]
    complete: Callable[[str, int], Awaitable[Sequence[Candidate]]]


class KubelearnApp(App[int]):
    """`home` is the cluster's folder, where progress is kept; `lesson_id` empty goes on where the learner stopped."""

    CSS_PATH = "app.tcss"
    TITLE = "kubelearn"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "hint", "hint"),
        Binding("f2", "view", "view"),
        Binding("f3", "solution", "solution"),
        Binding("f4", "next", "next"),
        Binding("f5", "continue", "continue"),
        Binding("f6", "pause", "pause"),
        Binding("f7", "focus_next", "focus", priority=True),
        Binding("f8", "step", "step"),
        Binding("ctrl+l", "fold", "fold lesson", priority=True),
        Binding("ctrl+q", "quit", "quit (cluster stays)", priority=True),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (180, "-wide")]  # noqa: RUF012  textual declares it an instance variable

    def __init__(
        self, client: Client, shell: Shell, home: Path, *, cluster: str, language: str = "en", lesson_id: str = ""
    ) -> None:
        super().__init__()
        self._client, self._shell, self._home = client, shell, home
        self._language, self._lesson_id = language, lesson_id
        self._texts = TEXTS[language]
        self._background = Tasks("tui")
        self._live = LiveSnapshot(client, self._moved)
        self._dirty = asyncio.Event()
        self._command: asyncio.Task[int] | None = None
        self._run: LessonRun | None = None
        self._progress = progress.load(home)
        self._solved = False
        self._cluster = cluster

    def compose(self) -> ComposeResult:
        yield StatusBar(self._cluster, self._texts, self._language)
        with Horizontal(id="panes"):
            yield LessonPane(self._texts)
            with Vertical(id="right"):
                yield Picture("picture")
                yield Timeline(self._texts["happened"], "timeline")
                yield ShellPane(self._texts)
        yield Footer(compact=True, show_command_palette=False)

    async def on_mount(self) -> None:
        for theme in _THEMES:
            self.register_theme(theme)
        self.theme = "kubelearn-dark"
        self.query_one(ShellPane).focus_line()
        self._background.start(self._follow(), "snapshot")
        self._background.start(self._spans(), "spans")
        self._background.start(self._redraw(), "redraw")
        self._background.start(self._open_lesson(), "lesson")

    async def on_unmount(self) -> None:
        if self._command is not None:
            self._command.cancel()
        await self._background.close()

    # background work

    async def _follow(self) -> None:
        await self._persist(lambda: self._live.start(self._background))

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

    def _moved(self) -> None:
        self._dirty.set()

    async def _redraw(self) -> None:
        """Draw and check when something moved, at most every frame."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            snapshot = self._live.current()
            self.query_one(Picture).show(snapshot)
            self.query_one(StatusBar).show(snapshot)
            await self._look()
            await asyncio.sleep(_FRAME)

    async def _spans(self) -> None:
        timeline = self.query_one(Timeline)
        version = ""
        while True:
            try:
                if not version:
                    listed = await self._client.list(SPANS, limit=1)
                    version = listed["metadata"]["resourceVersion"]
                async for event in self._client.watch(SPANS, resource_version=version):
                    if event.type in ("ADDED", "MODIFIED"):
                        version = event.object["metadata"]["resourceVersion"]
                        timeline.add(from_object(event.object))
            except ApiError as error:
                if error.code == 404:
                    return
                version = ""
                await asyncio.sleep(1)
            except TransportError:
                await asyncio.sleep(1)

    # lessons

    async def _open_lesson(self) -> None:
        wanted = self._lesson_id or self._progress.lesson or self._first_unfinished()
        await self._persist(lambda: self._enter_lesson(find(wanted), anew=wanted != self._progress.lesson))

    def _first_unfinished(self) -> str:
        lessons = load_all()
        return next((x.id for x in lessons if x.id not in self._progress.finished), lessons[0].id)

    async def _enter_lesson(self, lesson: Lesson, *, anew: bool) -> None:
        self.query_one(StatusBar).set_lesson(self._texts["set-up"])
        try:
            run = await LessonRun.open(self._client, lesson)
            if anew:
                await run.start()
                self._progress.enter(lesson.id, 0)
            else:
                run.context.commands.extend(self._progress.commands)
                run.context.answers.update(self._progress.answers)
        except KubelearnError as error:
            self.query_one(ShellPane).write(f"{error}\n")
            self.query_one(StatusBar).set_lesson("")
            return
        self._run = run
        await self._show_step(enter=anew)

    async def _show_step(self, *, enter: bool) -> None:
        run = self._run
        assert run is not None
        step = run.lesson.steps[self._progress.step]
        self._solved = False
        if enter:
            await run.enter(step)
        progress.save(self._home, self._progress)
        await self.query_one(LessonPane).show(run.lesson, step, self._language)
        self.query_one(Picture).set_view(step.view)
        number = f"{self._progress.step + 1}/{len(run.lesson.steps)}"
        self.query_one(StatusBar).set_lesson(f"{self._texts['lesson']} {run.lesson.order}  {number}")
        self._moved()

    async def _look(self) -> None:
        """Tick the checks of the current step."""
        run = self._run
        if run is None:
            return
        step = run.lesson.steps[self._progress.step]
        try:
            checked = await run.look(step)
        except (TransportError, ApiError) as error:
            self.query_one(StatusBar).set_problem(str(error))
            return
        self.query_one(StatusBar).set_problem("")
        if step is not run.lesson.steps[self._progress.step]:
            return
        pane = self.query_one(LessonPane)
        pane.checks(checked)
        if not self._solved and all(c.result.passed for c in checked):
            self._solved = True
            pane.done(self._progress.step == len(run.lesson.steps) - 1)

    def on_prediction_answered(self, message: Prediction.Answered) -> None:
        if self._run is not None:
            step = self._run.lesson.steps[self._progress.step]
            self._run.context.answers[step.id] = str(message.option)
            self._progress.answers[step.id] = str(message.option)
            self._moved()

    # the shell

    def on_shell_pane_submitted(self, message: ShellPane.Submitted) -> None:
        pane = self.query_one(ShellPane)
        line = message.line.strip()
        if not line:
            return
        if self._command is not None and not self._command.done():
            pane.write(self._texts["busy"] + "\n")
            return
        pane.echo(line)
        if line in ("exit", "quit"):
            self.exit(0)
        elif line == "clear":
            pane.clear()
        else:
            self._command = self._background.start(self._execute(line), "command")

    async def _execute(self, line: str) -> int:
        pane = self.query_one(ShellPane)
        code = 1
        try:
            code = await self._shell.execute(line, pane.write)
        except (TransportError, KubelearnError) as error:
            pane.write(f"{error}\n")
        finally:
            pane.flush()
        if code == 0 and self._run is not None:
            self._run.context.commands.append(line)
            self._progress.commands.append(line)
        self._moved()
        return code

    def on_shell_pane_interrupted(self) -> None:
        if self._command is not None and not self._command.done():
            self._command.cancel()
            self.query_one(ShellPane).write("^C\n")

    def on_shell_pane_wanted(self, message: ShellPane.Wanted) -> None:
        self._background.start(self._complete(message.text, message.cursor), "complete")

    async def _complete(self, text: str, cursor: int) -> None:
        with contextlib.suppress(TransportError, ApiError):
            self.query_one(ShellPane).offer(await self._shell.complete(text, cursor))

    # keys

    def action_hint(self) -> None:
        if self._run is None:
            return
        step = self._run.lesson.steps[self._progress.step]
        hints = self._run.lesson.prose[self._language].steps[step.id].hints
        shown = min(self._progress.hints, len(hints) - 1)
        self._progress.hints = shown + 1
        self.query_one(LessonPane).hint(f"{self._texts['hint']} {shown + 1}/{len(hints)}: {hints[shown]}")

    def action_solution(self) -> None:
        if self._run is None:
            return
        step = self._run.lesson.steps[self._progress.step]
        lines = "\n".join(f"    {line}" for line in step.solution)
        self.query_one(LessonPane).hint(f"{self._texts['solution']}:\n\n{lines}")

    async def action_next(self) -> None:
        """Go on when the step is solved; after the last step, to the next lesson."""
        if self._run is None or not self._solved:
            return
        lesson = self._run.lesson
        if self._progress.step + 1 < len(lesson.steps):
            self._progress.enter(lesson.id, self._progress.step + 1)
            await self._show_step(enter=True)
            return
        self._progress.finished = sorted({*self._progress.finished, lesson.id})
        finished, self._run = self._run, None
        self._background.start(self._next_lesson(finished), "lesson")

    async def _next_lesson(self, finished: LessonRun) -> None:
        await finished.teardown()
        self._progress.enter("", 0)
        progress.save(self._home, self._progress)
        self._lesson_id = ""
        await self._open_lesson()

    def action_view(self) -> None:
        if self.screen.has_class("-narrow"):
            self.screen.toggle_class("-picture")
            self.call_after_refresh(self.query_one(Picture).redraw)
        else:
            self.query_one(Picture).next_view()

    def action_fold(self) -> None:
        self.query_one("#lesson").toggle_class("-folded")

    async def action_pause(self) -> None:
        await self._gate_all(paused=True)

    async def action_continue(self) -> None:
        await self._gate_all(paused=False)

    async def _gate_all(self, *, paused: bool) -> None:
        gates = (await self._client.list(GATES))["items"]
        for gate in gates:
            if bool(gate.get("spec", {}).get("paused")) != paused:
                patch = {"spec": {"paused": paused}}
                await self._client.patch(GATES, gate["metadata"]["name"], "", patch, "application/merge-patch+json")

    async def action_step(self) -> None:
        """Deliver the oldest event that any component waits for."""
        gates = (await self._client.list(GATES))["items"]
        waiting = [(w["revision"], g["metadata"]["name"]) for g in gates for w in g["status"].get("waiting", ())]
        if not waiting:
            self.query_one(ShellPane).write(self._texts["no-gate"] + "\n")
            return
        await self._client.create(GATES, {"count": 1}, name=min(waiting)[1], subresource="step")
