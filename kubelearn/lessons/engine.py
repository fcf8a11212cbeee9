"""Play a lesson against a cluster: bring about its start state, look at its checks, take it down again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Resource
from kubelearn.client.discovery import Mapper, discover
from kubelearn.client.rest import Client
from kubelearn.kit.discover import load
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons.check_type import CheckContext, CheckType, Result
from kubelearn.lessons.model import Check, Lesson, Step
from kubelearn.lessons.runner import Output, Runner

GATES = Resource("kubelearn.dev", "v1alpha1", "Gate", "gates", "gate", False)
NODES = Resource("", "v1", "Node", "nodes", "node", False)


@dataclass(frozen=True, slots=True)
class Checked:
    """A check and what it saw."""

    check: Check
    result: Result


class LessonRun:
    """One lesson on one cluster; `commands` and `answers` of the current step are given in or collected by `run`."""

    def __init__(self, client: Client, mapper: Mapper, lesson: Lesson, namespace: str = "default") -> None:
        self.lesson = lesson
        self.client = client
        self.runner = Runner(client, lesson.folder, namespace)
        self.context = CheckContext(client, mapper, namespace, self.runner.commands)

    @classmethod
    async def open(cls, client: Client, lesson: Lesson) -> LessonRun:
        """Raises KubelearnError when the cluster has too few nodes for the lesson."""
        nodes = (await client.list(NODES))["items"]
        if len(nodes) < lesson.needs.nodes:
            raise KubelearnError(
                f"lesson {lesson.id} needs {lesson.needs.nodes} nodes, this cluster has {len(nodes)}",
                f"make another one: kubelearn up --name lesson --nodes {lesson.needs.nodes}",
            )
        return cls(client, await discover(client), lesson)

    async def start(self) -> None:
        """The start state, from whatever an earlier run left."""
        await self.teardown()
        for line in self.lesson.start:
            await self.must(line)

    async def teardown(self) -> None:
        """Remove what the lesson made and undo what it broke."""
        await self.pause(())
        for line in self.lesson.teardown:
            await self.must(line)

    async def must(self, line: str) -> Output:
        """Run a line of the lesson's own; raises KubelearnError when it fails."""
        output = await self.runner.run(line)
        if output.code != 0:
            raise KubelearnError(f"lesson {self.lesson.id}: `{line}` failed: {output.text.strip()}")
        return output

    async def enter(self, step: Step) -> None:
        """Begin a step: forget the commands and answers of the last one, hold the components it names."""
        self.runner.commands.clear()
        self.context.answers.clear()
        await self.pause(step.pause)

    async def pause(self, components: tuple[str, ...]) -> None:
        """Hold exactly these components at the gate; a cluster without gates is left alone."""
        try:
            gates = (await self.client.list(GATES))["items"]
        except ApiError as error:
            if error.code == 404:
                return
            raise
        held = {g["metadata"]["name"]: bool(g.get("spec", {}).get("paused")) for g in gates}
        for name in sorted({*held, *components}):
            wanted = name in components
            if held.get(name, False) != wanted:
                patch = {"spec": {"paused": wanted}}
                await self.client.patch(GATES, name, "", patch, "application/merge-patch+json")

    async def look(self, step: Step) -> list[Checked]:
        """Every check of the step, looked at once."""
        return [Checked(c, await self._check(c)) for c in step.checks]

    async def _check(self, check: Check) -> Result:
        kind = load("kubelearn.lessons.checks", check.type, "CHECK", CheckType)
        return await kind.run(self.context, check.params)

    async def wait(
        self, step: Step, seconds: float, each: Callable[[list[Checked]], None] | None = None
    ) -> list[Checked]:
        """Look until all checks pass or the time is over; gives the last look."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            checked = await self.look(step)
            if each is not None:
                each(checked)
            if all(c.result.passed for c in checked) or asyncio.get_running_loop().time() > deadline:
                return checked
            await asyncio.sleep(0.2)
