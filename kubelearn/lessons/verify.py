"""Prove that a lesson works, as `kubelearn lesson verify` does and CI with it.

Every graded check fails on its start state, and goes on failing while nobody does anything; it passes after the
solution and after each alternative; each listed wrong solution, made by commands that succeed and with the questions
answered rightly, fails with its message; the whole replays twice in a row on one cluster; teardown leaves what was
there. What needs no cluster is `static`'s. One run proves one engine: `unproven` names the others.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from kubelearn.api.errors import ApiError
from kubelearn.client.rest import Client, whole
from kubelearn.client.transport import Request
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons.engine import NODES, LessonRun
from kubelearn.lessons.model import Lesson, Step
from kubelearn.lessons.static import static_problems

#: Seconds: that a solution may take to come true, that a start state is watched, that a wrong solution has to show
#: itself, and that controllers and kubelets have to clear away.
PATIENCE = 90.0
SETTLE = 1.0
SHOWING = 5.0
CLEARING = 30.0
_VOLATILE = {
    "events",
    "events.events.k8s.io",
    "leases.coordination.k8s.io",
    "nodes.metrics.k8s.io",
    "pods.metrics.k8s.io",
    "spans.kubelearn.dev",
}

Say = Callable[[str], None]


async def verify(client: Client, lesson: Lesson, say: Say, *, rounds: int = 2, patience: float = PATIENCE) -> list[str]:
    """Every problem found; an empty list is the proof. Whatever happens, the lesson is taken down again."""
    if problems := static_problems(lesson):
        return problems
    try:
        await _Proof(await LessonRun.open(client, lesson), say, patience, problems).all(rounds)
    except KubelearnError as error:
        problems.append(error.message)
    except ApiError as error:
        problems.append(f"the API server answered: {error.message}")
    return problems


def unproven(lesson: Lesson, engine: str) -> list[str]:
    """The engines that a lesson names and that a proof on a cluster of `engine` says nothing about."""
    return [e for e in lesson.needs.engines if e != engine]


class _Proof:
    """Adds what it finds to `problems`, so that nothing is lost when a later part cannot be done."""

    def __init__(self, run: LessonRun, say: Say, patience: float, problems: list[str]) -> None:
        self.problems = problems
        self.run = run
        self.say = say
        self.patience = patience

    async def all(self, rounds: int) -> None:
        async with self._taken_down():
            before = await _inventory(self.run)
            for number in range(rounds):
                self.say(f"{self.run.lesson.id}: round {number + 1} of {rounds}")
                self.problems += await self._play(settle=SETTLE if number == 0 else 0.0)
                if self.problems:
                    break
            else:
                for step in self.run.lesson.steps:
                    self.problems += await self._other_ways(step)
        self.problems += await _difference(self.run, before)

    @asynccontextmanager
    async def _taken_down(self) -> AsyncIterator[None]:
        await self.run.teardown()
        try:
            yield
        finally:
            await self.run.teardown()

    async def _play(self, settle: float) -> list[str]:
        await self.run.start()
        for step in self.run.lesson.steps:
            await self.run.enter(step)
            problems = [*await self._fails_at_first(step, settle), *await self._solve(step, step.solution)]
            if problems:
                return problems
            self.say(f"  ✔ {step.id}")
        return []

    async def _fails_at_first(self, step: Step, settle: float) -> list[str]:
        """A check that is true before anything was done, or becomes true by itself at once, grades nothing."""
        true: dict[str, None] = {}
        end = asyncio.get_running_loop().time() + settle
        while True:
            for c in await self.run.look(step):
                if c.result.passed:
                    true[f"{step.id}: check {c.check.type} is true before the solution: {c.result.seen}"] = None
            if true or asyncio.get_running_loop().time() >= end:
                return list(true)
            await asyncio.sleep(0.1)

    async def _solve(self, step: Step, commands: tuple[str, ...]) -> list[str]:
        answer(self.run, step)
        if problem := await self._do(step, commands):
            return [problem]
        return [
            f"{step.id}: after {'; '.join(commands)}: check {c.check.type}: {c.result.message}"
            for c in await self.run.wait(step, self.patience)
            if not c.result.passed
        ]

    async def _do(self, step: Step, commands: tuple[str, ...]) -> str:
        for line in commands:
            try:
                await self.run.must(line)
            except KubelearnError as error:
                return f"{step.id}: {error.message}"
        return ""

    async def _reach(self, goal: Step) -> list[str]:
        """A fresh lesson, played up to the beginning of a step."""
        await self.run.start()
        for step in self.run.lesson.steps:
            await self.run.enter(step)
            if step is goal:
                return []
            if problems := await self._solve(step, step.solution):
                return problems
        raise AssertionError(f"{goal.id} is no step of {self.run.lesson.id}")

    async def _other_ways(self, step: Step) -> list[str]:
        problems: list[str] = []
        for alternative in step.alternatives:
            if found := await self._reach(step) or await self._solve(step, alternative):
                problems += found
            else:
                self.say(f"  ✔ {step.id}: alternative {'; '.join(alternative)}")
        for wrong in step.wrong:
            if found := await self._reach(step) or await self._refuses(step, wrong.commands, wrong.message):
                problems += found
            else:
                self.say(f"  ✔ {step.id}: refuses {'; '.join(wrong.commands)}")
        return problems

    async def _refuses(self, step: Step, commands: tuple[str, ...], message: str) -> list[str]:
        """The message must show, and no moment of the time it has may take the wrong for right."""
        answer(self.run, step)
        if problem := await self._do(step, commands):
            return [f"{problem} (a wrong solution is made of commands that work)"]
        checked = await self.run.wait(step, SHOWING)
        failed = [c.result.message for c in checked if not c.result.passed]
        what = f"{step.id}: wrong solution {'; '.join(commands)}"
        if not failed:
            return [f"{what} passes"]
        return [] if any(message in text for text in failed) else [f"{what}: got {failed}, not {message!r}"]


def answer(run: LessonRun, step: Step) -> None:
    """Answer the step's question as the prose marks it right."""
    predict = next(iter(run.lesson.prose.values())).steps[step.id].predict
    if predict is not None:
        run.context.answers[step.id] = str(predict.right)


async def _inventory(run: LessonRun) -> dict[str, str]:
    """What the cluster is, but for what comes and goes by itself: every object, what people set of the nodes and the
    gates, and which machines are on."""
    found: dict[str, str] = {}
    for resource in run.context.mapper.all():
        if resource.group_resource in _VOLATILE or "list" not in resource.verbs:
            continue
        for obj in (await run.client.list(resource))["items"]:
            meta = obj["metadata"]
            kept = obj.get("spec") if resource.group_resource in ("nodes", "gates.kubelearn.dev") else None
            labels = meta.get("labels") if resource.group_resource == NODES.group_resource else None
            name = f"{resource.group_resource} {meta.get('namespace', '')}/{meta['name']}"
            found[name] = json.dumps([kept, labels], sort_keys=True)
    answer = await run.client.transport.send(Request("GET", "/machines/v1/"))
    body = await whole(answer)
    if answer.status == 200:
        found |= {f"machine {name}": str(state) for name, state in json.loads(body).items()}
    return found


async def _difference(run: LessonRun, before: dict[str, str]) -> list[str]:
    """What teardown left, lacks or left changed, once controllers and kubelets have had time to finish."""
    end = asyncio.get_running_loop().time() + CLEARING
    while True:
        after = await _inventory(run)
        if after == before:
            return []
        if asyncio.get_running_loop().time() >= end:
            break
        await asyncio.sleep(0.3)
    changed = sorted(n for n in set(before) & set(after) if before[n] != after[n])
    kinds = (
        ("leaves", sorted(set(after) - set(before))),
        ("lacks", sorted(set(before) - set(after))),
        ("changed", changed),
    )
    return [f"teardown {what} {', '.join(names)}" for what, names in kinds if names]
