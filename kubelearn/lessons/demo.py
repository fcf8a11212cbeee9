"""A lesson that plays itself: each command, its output, the picture after it as text, and the causal chain.

Needs no terminal; what it prints is what the cluster did, so its exit status tells whether the lesson came true. The
first step that does not come true in its time ends it: the next ones build on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kubelearn.client.rest import Client
from kubelearn.graph import render, snapshot
from kubelearn.lessons.engine import Checked, LessonRun
from kubelearn.lessons.model import Step, find
from kubelearn.lessons.texts import texts
from kubelearn.lessons.verify import answer

#: How long a step may take, its commands included.
STEP_SECONDS = 60.0
_LAST_LOOK = 3.0

Say = Callable[[str], None]


async def play(client: Client, lesson_id: str, language: str, say: Say, seconds: float = STEP_SECONDS) -> int:
    """0 when every check of the lesson passed, 1 otherwise. However it ends, the lesson is taken down again."""
    run = await LessonRun.open(client, find(lesson_id))
    demo = _Demo(run, language, say, seconds)
    try:
        failed = await demo.play()
    finally:
        await run.teardown()
    if failed is None:
        say(f"✔ {demo.texts['all-passed']}")
        return 0
    say("✗ " + demo.texts["gave-up"].format(failed.id, f"{seconds:g}"))
    return 1


class _Demo:
    def __init__(self, run: LessonRun, language: str, say: Say, seconds: float) -> None:
        self.run = run
        self.prose = run.lesson.prose[language]
        self.texts = texts(language)
        self.say = say
        self.seconds = seconds
        self.foreign: set[str] = set()
        self.made: list[str] = []

    async def play(self) -> Step | None:
        """The step that did not come true, if there is one."""
        lesson = self.run.lesson
        self.say(f"═══ {lesson.order} {self.prose.title} ═══\n\n{self.prose.introduction}\n")
        await self.run.teardown()
        self.foreign = {uid for uid, _ in await self._pods()}
        await self.run.start()
        failed = None
        for number, step in enumerate(lesson.steps, 1):
            words = self.prose.steps[step.id]
            self.say(f"─── {number}/{len(lesson.steps)} {words.title} ───\n\n{words.text}\n")
            await self.run.enter(step)
            passed = await self._solve(step)
            await self._picture(step)
            if not passed:
                failed = step
                break
            if words.debrief:
                self.say(f"{words.debrief}\n")
        chain = await self._why()
        return failed if failed or chain else lesson.steps[-1]

    async def _solve(self, step: Step) -> bool:
        answer(self.run, step)
        clock = asyncio.get_running_loop().time
        end = clock() + self.seconds
        worked = True
        for line in step.solution:
            output = await self.run.runner.run(line, max(end - clock(), 0.1))
            self.say(f"❯ {line}\n{output.text.rstrip()}")
            if output.code != 0:
                worked = False
                break
        checked = await self.run.wait(step, max(end - clock(), _LAST_LOOK) if worked else _LAST_LOOK)
        for item in checked:
            self.say(f"  {self._line(item)}")
        return worked and all(c.result.passed for c in checked)

    def _line(self, item: Checked) -> str:
        if item.result.passed:
            return f"✔ {item.result.seen}"
        return f"✗ {self.texts['seen']}: {item.result.seen}; {self.texts['wanted']}: {item.result.wanted}"

    async def _picture(self, step: Step) -> None:
        self.say(f"\n{render.render(await snapshot.take(self.run.client), step.view)}\n")
        self.made += [name for uid, name in await self._pods() if uid not in self.foreign and name not in self.made]

    async def _pods(self) -> list[tuple[str, str]]:
        """Uid and name of every pod, the oldest first."""
        pods = [p["metadata"] for p in await self.run.context.fetch_all("pods")]
        return [(p["uid"], p["name"]) for p in sorted(pods, key=lambda p: (p["creationTimestamp"], p["name"]))]

    async def _why(self) -> bool:
        """The causal chain of a pod that the lesson made, one that is still there if there is one."""
        if not self.made:
            return True
        there = {name for _, name in await self._pods()}
        name = next((n for n in self.made if n in there), self.made[-1])
        line = f"kubelearn why pod/{name}"
        output = await self.run.runner.run(line, self.seconds)
        self.say(f"❯ {line}\n{output.text.rstrip()}\n")
        return output.code == 0
