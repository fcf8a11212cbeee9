"""Where the learner is in the course: lesson, step, answers, what the checks saw. Knows no widgets; the app shows it."""

from __future__ import annotations

from pathlib import Path

from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons import progress
from kubelearn.lessons.engine import Checked, LessonRun
from kubelearn.lessons.model import Lesson, Step, find, load_all
from kubelearn.lessons.prose import StepProse


class Course:
    """`home` is the cluster's folder, where progress is kept; `wanted` empty goes on where the learner stopped."""

    def __init__(self, client: Client, home: Path, language: str, wanted: str = "") -> None:
        self._client, self._home, self._language, self._wanted = client, home, language, wanted
        self._progress = progress.load(home)
        self._run: LessonRun | None = None
        self.solved = False

    @property
    def is_open(self) -> bool:
        return self._run is not None

    @property
    def lesson(self) -> Lesson:
        if self._run is None:
            raise RuntimeError("no lesson is open")
        return self._run.lesson

    @property
    def step(self) -> Step:
        return self.lesson.steps[self._progress.step]

    @property
    def number(self) -> int:
        return self._progress.step + 1

    @property
    def words(self) -> StepProse:
        return self.lesson.prose[self._language].steps[self.step.id]

    @property
    def is_last_step(self) -> bool:
        return self.number == len(self.lesson.steps)

    @property
    def answer(self) -> int:
        """The option chosen in this step, from 1; 0 when none was."""
        return int(self._progress.answers.get(self.step.id, 0))

    async def open(self) -> None:
        """Bring about a lesson's start state, or go on in the middle of it. Raises KubelearnError and what the client
        raises."""
        lesson = find(self._wanted or self._progress.lesson or self._first_unfinished())
        run = await LessonRun.open(self._client, lesson)
        if lesson.id == self._progress.lesson and self._progress.step < len(lesson.steps):
            run.context.commands.extend(self._progress.commands)
            run.context.answers.update(self._progress.answers)
            run.context.since = self._progress.since
            await run.pause(lesson.steps[self._progress.step].pause)
            self._run, self.solved = run, False
            return
        await run.start()
        self._run = run
        await self._enter(0)

    def _first_unfinished(self) -> str:
        found = next((x.id for x in load_all() if x.id not in self._progress.finished), None)
        if found is None:
            raise CourseFinished("every lesson is finished")
        return found

    async def _enter(self, step: int) -> None:
        assert self._run is not None
        self._progress.enter(self.lesson.id, step)
        self.solved = False
        await self._run.enter(self.step)
        self._progress.since = self._run.context.since
        self._save()

    def _save(self) -> None:
        progress.save(self._home, self._progress)

    async def look(self) -> list[Checked] | None:
        """What the checks of this step see now; None when the step went by meanwhile."""
        run = self._run
        if run is None:
            return None
        step = self.step
        checked = await run.look(step)
        if run is not self._run or step is not self.step:
            return None
        self.solved = all(c.result.passed for c in checked)
        return checked

    def ran(self, line: str) -> None:
        """A command succeeded."""
        if self._run is not None:
            self._run.context.commands.append(line)
            self._progress.commands.append(line)
            self._save()

    def choose(self, option: int) -> None:
        """Answer the question of this step."""
        if self._run is not None:
            self._run.context.answers[self.step.id] = str(option)
            self._progress.answers[self.step.id] = str(option)
            self._save()

    def hint(self) -> tuple[int, int, str] | None:
        """Its number, how many there are, and the next hint (the last again, after it)."""
        hints = self.words.hints
        if not hints:
            return None
        number = min(self._progress.hints + 1, len(hints))
        self._progress.hints = number
        self._save()
        return number, len(hints), hints[number - 1]

    async def next_step(self) -> None:
        await self._enter(self._progress.step + 1)

    async def finish(self) -> None:
        """The lesson is over: remove what it made. The next `open` opens the next one."""
        run = self._run
        assert run is not None
        self._run = None
        self._progress.finished = sorted({*self._progress.finished, run.lesson.id})
        self._progress.enter("", 0)
        self._wanted = ""
        self._save()
        await run.teardown()


class CourseFinished(KubelearnError):
    """There is no lesson left to open."""
