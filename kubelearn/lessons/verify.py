"""Prove that a lesson works, as `kubelearn lesson verify` does and CI with it.

Every graded check fails on its start state and passes after the solution and after each alternative; each listed wrong
solution fails with its message; the whole replays twice in a row on one cluster; teardown leaves what was there;
both languages tell the same steps; the commands quoted in the prose parse.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Iterator

from kubelearn.client.rest import Client
from kubelearn.kit.discover import load
from kubelearn.kit.errors import KubelearnError
from kubelearn.kubectl.run import check_line
from kubelearn.lessons.check_type import CheckType
from kubelearn.lessons.engine import LessonRun
from kubelearn.lessons.model import LANGUAGES, Lesson, Step

#: How long a solution may take to come true.
PATIENCE = 90.0
_STRAY = {"lesson.yaml", *(f"{lang}.md" for lang in LANGUAGES)}
_VOLATILE = {
    "events",
    "events.events.k8s.io",
    "leases.coordination.k8s.io",
    "spans.kubelearn.dev",
    "gates.kubelearn.dev",
}

Say = Callable[[str], None]


def static_problems(lesson: Lesson) -> list[str]:
    """What is wrong with the lesson's files, without a cluster."""
    return [*_files(lesson), *_parameters(lesson), *_languages(lesson), *_commands(lesson)]


def _files(lesson: Lesson) -> Iterator[str]:
    used = " ".join(line for s in lesson.steps for line in (*s.solution, *(x for a in s.alternatives for x in a)))
    used += " ".join(lesson.start)
    for path in sorted(lesson.folder.iterdir()):
        if path.name not in _STRAY and path.name not in used:
            yield f"stray file {path.name}"


def _parameters(lesson: Lesson) -> Iterator[str]:
    for step in lesson.steps:
        for check in step.checks:
            kind = load("kubelearn.lessons.checks", check.type, "CHECK", CheckType)
            for problem in kind.problems(check.params):
                yield f"{step.id}: check {check.type}: {problem}"


def _languages(lesson: Lesson) -> Iterator[str]:
    ids = [s.id for s in lesson.steps]
    for language, prose in lesson.prose.items():
        if list(prose.steps) != ids:
            yield f"{language}.md: steps {list(prose.steps)}, lesson.yaml has {ids}"
    first, *others = (lesson.prose[lang] for lang in LANGUAGES)
    for other in others:
        for step_id in set(first.steps) & set(other.steps):
            a, b = first.steps[step_id], other.steps[step_id]
            if len(a.hints) != len(b.hints):
                yield f"{step_id}: {len(a.hints)} hints in one language, {len(b.hints)} in another"
            answers = [[o.right for o in s.predict.options] if s.predict else None for s in (a, b)]
            if answers[0] != answers[1]:
                yield f"{step_id}: the predict options differ between the languages"
        if sorted(first.commands()) != sorted(other.commands()):
            differ = sorted(set(first.commands()) ^ set(other.commands()))
            yield f"commands quoted in one language only: {differ}"
    for step in lesson.steps:
        if not first.steps.get(step.id) or not first.steps[step.id].hints:
            yield f"{step.id}: no hints"


def _commands(lesson: Lesson) -> Iterator[str]:
    lines = [line for s in lesson.steps for line in (*s.solution, *(x for a in s.alternatives for x in a))]
    for line in [*lines, *lesson.start, *lesson.teardown, *lesson.prose["en"].commands()]:
        if problem := check_line(shlex.split(line)[1:]):
            yield f"`{line}` does not parse: {problem}"


async def verify(client: Client, lesson: Lesson, say: Say, rounds: int = 2) -> list[str]:
    """Every problem found; an empty list is the proof."""
    problems = static_problems(lesson)
    if problems:
        return problems
    run = await LessonRun.open(client, lesson)
    await run.teardown()
    before = await _inventory(run)
    for number in range(rounds):
        say(f"{lesson.id}: round {number + 1} of {rounds}")
        problems += await _play(run, say)
        if problems:
            break
    if not problems:
        for step in lesson.steps:
            problems += await _other_ways(run, step, say)
    await run.teardown()
    problems += await _left_over(run, before)
    return problems


async def _play(run: LessonRun, say: Say) -> list[str]:
    await run.start()
    for step in run.lesson.steps:
        await run.enter(step)
        problems = [*await _fails_at_first(run, step), *await _solve(run, step, step.solution)]
        if problems:
            return problems
        say(f"  ✔ {step.id}")
    return []


async def _fails_at_first(run: LessonRun, step: Step) -> list[str]:
    """A check that is true before anything was done grades nothing."""
    checked = await run.look(step)
    return [
        f"{step.id}: check {c.check.type} {dict(c.check.params)} is true before the solution: {c.result.seen}"
        for c in checked
        if c.result.passed
    ]


async def _solve(run: LessonRun, step: Step, commands: tuple[str, ...]) -> list[str]:
    _answer(run, step)
    for line in commands:
        try:
            await run.must(line)
        except KubelearnError as error:
            return [f"{step.id}: {error.message}"]
    checked = await run.wait(step, PATIENCE)
    return [
        f"{step.id}: after {list(commands)}: check {c.check.type}: seen {c.result.seen}, wanted {c.result.wanted}"
        for c in checked
        if not c.result.passed
    ]


def _answer(run: LessonRun, step: Step) -> None:
    """Answer the step's quiz questions as the prose marks them right."""
    for check in step.checks:
        predict = run.lesson.prose["en"].steps[step.id].predict
        if check.type == "quiz" and predict is not None:
            right = next(i for i, o in enumerate(predict.options, 1) if o.right)
            run.context.answers[str(check.params["question"])] = str(right)


async def _reach(run: LessonRun, goal: Step) -> list[str]:
    """A fresh lesson, played up to the beginning of a step."""
    await run.start()
    for step in run.lesson.steps:
        await run.enter(step)
        if step is goal:
            return []
        if problems := await _solve(run, step, step.solution):
            return problems
    return []


async def _other_ways(run: LessonRun, step: Step, say: Say) -> list[str]:
    problems: list[str] = []
    for alternative in step.alternatives:
        problems += await _reach(run, step) or await _solve(run, step, alternative)
        say(f"  ✔ {step.id}: alternative {'; '.join(alternative)}")
    for wrong in step.wrong:
        problems += await _reach(run, step)
        for line in wrong.commands:
            await run.runner.run(line)
        checked = await run.wait(step, 3.0)
        messages = [f"seen {c.result.seen}, wanted {c.result.wanted}" for c in checked if not c.result.passed]
        if not any(wrong.message in m for m in messages):
            problems.append(f"{step.id}: wrong solution {list(wrong.commands)}: got {messages}, not {wrong.message!r}")
        else:
            say(f"  ✔ {step.id}: refuses {'; '.join(wrong.commands)}")
    return problems


async def _inventory(run: LessonRun) -> set[str]:
    """Every object of the cluster by resource, namespace and name, but for what comes and goes by itself."""
    found: set[str] = set()
    for resource in run.context.mapper.all():
        if resource.group_resource in _VOLATILE or "list" not in resource.verbs:
            continue
        for obj in (await run.client.list(resource))["items"]:
            meta = obj["metadata"]
            found.add(f"{resource.group_resource} {meta.get('namespace', '')}/{meta['name']}")
    return found


async def _left_over(run: LessonRun, before: set[str]) -> list[str]:
    """What teardown left behind, once controllers and kubelets have had time to finish."""
    for _ in range(100):
        left = await _inventory(run) - before
        if not left:
            return []
        await asyncio.sleep(0.3)
    return [f"teardown leaves {', '.join(sorted(left))}"]
