"""`kubelearn lesson …`: the lesson engine without the terminal app.

Each command is a process of its own, so what a step needs to remember is in the progress file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons import progress as store
from kubelearn.lessons.authoring import lesson_of
from kubelearn.lessons.engine import Checked, LessonRun
from kubelearn.lessons.model import Lesson, Step, find, load_all
from kubelearn.lessons.prose import StepProse
from kubelearn.lessons.texts import texts

Say = Callable[[str], None]


def listing(home: Path, language: str, output: str, say: Say) -> int:
    """The lessons that ship, in the order of the course, and how far the learner of this cluster is."""
    progress = store.load(home)
    rows = [
        {
            "id": x.id,
            "order": x.order,
            "title": x.title(language),
            "minutes": x.minutes,
            "nodes": x.needs.nodes,
            "engines": list(x.needs.engines),
            "state": "current" if x.id == progress.lesson else "finished" if x.id in progress.finished else "",
        }
        for x in load_all()
    ]
    if output == "json":
        say(json.dumps(rows, ensure_ascii=False))
        return 0
    marks = {"current": "▶", "finished": "✔", "": " "}
    for row in rows:
        say(f"{marks[str(row['state'])]} {row['order']:>3}  {row['id']:<14} {row['title']}  ({row['minutes']} min)")
    return 0


async def run(client: Client, home: Path, action: str, argument: str, *, lang: str, output: str, say: Say) -> int:
    """start, answer, check, hint, solution, next and reset. `argument` is an id, or the number of an answer."""
    progress = store.load(home)
    if action in ("start", "reset"):
        lesson = lesson_of(argument or (_current(progress) if action == "reset" else _next_id(progress)))
        await _leave(client, progress, lesson)
        store.save(home, progress)
        learner = _Learner(await LessonRun.open(client, lesson), progress, lang, output, say)
        code = await learner.start()
    else:
        answer = argument if action == "answer" else ""
        if argument and not answer and argument != _current(progress):
            raise KubelearnError(
                f"you are in lesson {progress.lesson}", f"begin it with: kubelearn lesson start {argument}"
            )
        lesson = lesson_of(_current(progress))
        learner = _Learner(await LessonRun.open(client, lesson), progress, lang, output, say)
        code = learner.answer(answer) if action == "answer" else await learner.act(action)
    store.save(home, progress)
    return code


def _current(progress: store.Progress) -> str:
    if not progress.lesson:
        raise KubelearnError(
            "no lesson is begun", "begin one with: kubelearn lesson start, or see: kubelearn lesson list"
        )
    return progress.lesson


def _next_id(progress: store.Progress) -> str:
    """Where `start` without an id goes: the lesson begun, else the first that is not finished."""
    if progress.lesson:
        return progress.lesson
    lessons = load_all()
    return next((x.id for x in lessons if x.id not in progress.finished), lessons[0].id)


async def _leave(client: Client, progress: store.Progress, lesson: Lesson) -> None:
    """Take down the lesson that the learner was in, so that what it broke does not break the next one."""
    if progress.lesson and progress.lesson != lesson.id:
        try:
            left = find(progress.lesson)
        except KubelearnError:
            return  # an author's folder that is elsewhere, or a lesson of another version
        await (await LessonRun.open(client, left)).teardown()
        progress.enter("", 0)


class _Learner:
    """One learner in one lesson, for one command."""

    def __init__(self, session: LessonRun, progress: store.Progress, language: str, output: str, say: Say) -> None:
        self.session = session
        self.progress = progress
        self.prose = session.lesson.prose[language]
        self.texts = texts(language)
        self.json = output == "json"
        self.say = say
        session.context.commands.extend(progress.commands)
        session.context.answers.update(progress.answers)
        session.context.since = progress.since

    @property
    def step(self) -> Step:
        steps = self.session.lesson.steps
        return steps[min(self.progress.step, len(steps) - 1)]

    @property
    def words(self) -> StepProse:
        return self.prose.steps[self.step.id]

    async def act(self, action: str) -> int:
        if action == "hint":
            return self._hint()
        if action == "solution":
            return self._solution()
        return await self._check(going_on=action == "next")

    async def start(self) -> int:
        await self.session.start()
        await self._enter(0)
        return self._show()

    def answer(self, given: str) -> int:
        """The reveal; a wrong answer may be given again."""
        predict = self.words.predict
        if predict is None:
            raise KubelearnError(f"step {self.step.id} asks nothing")
        if given not in {str(n) for n in range(1, len(predict.options) + 1)}:
            raise KubelearnError("which answer?", f"kubelearn lesson answer 1 … {len(predict.options)}", 2)
        option = predict.options[int(given) - 1]
        self.progress.answers[self.step.id] = given
        verdict = self.texts["right" if option.right else "not-right"]
        self._tell({"answer": int(given), "right": option.right, "why": option.why}, f"{verdict}: {option.why}")
        return 0 if option.right else 1

    async def _enter(self, number: int) -> None:
        step = self.session.lesson.steps[number]
        await self.session.enter(step)
        self.progress.enter(self.session.lesson.id, number, self.session.context.since)

    def _place(self) -> dict[str, Any]:
        return {
            "lesson": self.session.lesson.id,
            "step": self.step.id,
            "number": self.progress.step + 1,
            "of": len(self.session.lesson.steps),
        }

    def _show(self) -> int:
        words, number = self.words, self.progress.step + 1
        facts: dict[str, Any] = {"title": words.title, "text": words.text, "task": words.task}
        parts = [f"{self.prose.title}  {number}/{len(self.session.lesson.steps)}  {words.title}"]
        parts += [self.prose.introduction] if number == 1 and self.prose.introduction else []
        parts += [words.text] if words.text else []
        if words.predict is not None:
            facts["predict"] = {"question": words.predict.question, "options": [o.text for o in words.predict.options]}
            options = "\n".join(f"  {n}. {o.text}" for n, o in enumerate(words.predict.options, 1))
            question = f"{self.texts['predict']}: {words.predict.question}\n{options}"
            parts.append(f"{question}\n  {self.texts['answer']}")
        parts.append(f"{self.texts['task']}: {words.task}")
        if _has_files(self.session.lesson):
            facts["folder"] = str(self.session.lesson.folder)
            parts.append(f"({self.texts['files']} {self.session.lesson.folder})")
        self._tell(facts, "\n\n".join(parts))
        return 0

    def _hint(self) -> int:
        hints = self.words.hints
        if not hints:
            raise KubelearnError(f"step {self.step.id} has no hints", "kubelearn lesson solution")
        shown = min(self.progress.hints, len(hints) - 1)
        self.progress.hints = shown + 1
        self._tell({"hint": hints[shown], "hints": len(hints)}, f"({shown + 1}/{len(hints)}) {hints[shown]}")
        return 0

    def _solution(self) -> int:
        ways = [self.step.solution, *self.step.alternatives]
        text = f"\n{self.texts['or']}\n".join("\n".join(f"  {line}" for line in way) for way in ways)
        self._tell({"solution": list(ways[0]), "alternatives": [list(w) for w in ways[1:]]}, text)
        return 0

    async def _check(self, going_on: bool) -> int:
        checked = await self.session.look(self.step)
        passed = all(c.result.passed for c in checked)
        facts: dict[str, Any] = {"passed": passed, "checks": [_facts(c) for c in checked]}
        debrief = self.words.debrief if passed else ""
        lines = [self._line(c) for c in checked]
        lines += [f"\n{self.texts['debrief']}: {debrief}"] if debrief else []
        if not (passed and going_on):
            self._tell(
                facts | {"debrief": debrief}, "\n".join([*lines, f"\n{self.texts['done']}"] if passed else lines)
            )
            return 0 if passed else 1
        if not self.json:
            self.say("\n".join([*lines, ""]))
        return await self._next()

    async def _next(self) -> int:
        number, lesson = self.progress.step + 1, self.session.lesson
        if number < len(lesson.steps):
            await self._enter(number)
            return self._show()
        await self.session.teardown()
        if lesson.id not in self.progress.finished:
            self.progress.finished.append(lesson.id)
        self._tell({"finished": True}, self.texts["finished"].format(lesson.id))
        self.progress.enter("", 0)
        return 0

    def _line(self, item: Checked) -> str:
        if item.result.passed:
            return f"✔ {item.result.seen}"
        return f"○ {self.texts['seen']}: {item.result.seen}, {self.texts['wanted']}: {item.result.wanted}"

    def _tell(self, facts: Mapping[str, Any], text: str) -> None:
        self.say(json.dumps({**self._place(), **facts}, ensure_ascii=False) if self.json else text)


def _facts(item: Checked) -> dict[str, Any]:
    result = item.result
    return {"type": item.check.type, "passed": result.passed, "seen": result.seen, "wanted": result.wanted}


def _has_files(lesson: Lesson) -> bool:
    return any(p.suffix in (".yaml", ".yml") and p.name != "lesson.yaml" for p in lesson.folder.iterdir())
