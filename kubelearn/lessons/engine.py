"""Play a lesson against a cluster: bring about its start state, look at its checks, take it down again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.discovery import Mapper, discover
from kubelearn.client.rest import Client
from kubelearn.kit.discover import load
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons.check_type import CheckContext, CheckType, Result
from kubelearn.lessons.model import ENGINES, Check, Lesson, Step
from kubelearn.lessons.runner import Output, Runner

GATES = Resource("kubelearn.dev", "v1alpha1", "Gate", "gates", "gate", False)
NODES = Resource("", "v1", "Node", "nodes", "node", False)
EVENTS = Resource("", "v1", "Event", "events", "event", True)
#: How long a line of the lesson's own (start state, teardown) may take, beyond the time limits that it names itself.
LINE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Checked:
    """A check and what it saw."""

    check: Check
    result: Result


class LessonRun:
    """One lesson on one cluster; `commands` and `answers` of the current step are given in or collected by `run`.
    `engine` is what runs the containers; on somebody else's cluster it is none of ours."""

    def __init__(
        self, client: Client, mapper: Mapper, lesson: Lesson, namespace: str = "default", engine: str = ""
    ) -> None:
        self.lesson = lesson
        self.engine = engine
        self.client = client
        self.runner = Runner(client, lesson.folder, namespace)
        self.context = CheckContext(client, mapper, namespace, self.runner.commands)

    @classmethod
    async def open(cls, client: Client, lesson: Lesson) -> LessonRun:
        """Raises KubelearnError when the cluster has too few nodes for the lesson, or another engine than it names."""
        nodes = (await client.list(NODES))["items"]
        engine = engine_of(nodes)
        if engine in ENGINES and engine not in lesson.needs.engines:
            raise KubelearnError(
                f"lesson {lesson.id} needs engine {' or '.join(lesson.needs.engines)}, this cluster's is {engine}",
                f"make another one: kubelearn up --name lesson --engine {lesson.needs.engines[0]}",
            )
        if len(nodes) < lesson.needs.nodes:
            raise KubelearnError(
                f"lesson {lesson.id} needs {lesson.needs.nodes} nodes, this cluster has {len(nodes)}",
                f"make another one: kubelearn up --name lesson --nodes {lesson.needs.nodes}",
            )
        return cls(client, await discover(client), lesson, engine=engine)

    async def start(self) -> None:
        """The start state, from whatever an earlier run left; when it does not come about, nothing of it stays."""
        await self.teardown()
        try:
            for line in self.lesson.start:
                await self.must(line)
        except BaseException:
            await self.teardown()
            raise

    async def teardown(self) -> None:
        """Remove what the lesson made and undo what it broke."""
        await self.pause(())
        for line in self.lesson.teardown:
            await self.must(line)

    async def must(self, line: str) -> Output:
        """Run a line of the lesson's own; raises KubelearnError when it fails."""
        output = await self.runner.run(line, LINE_SECONDS)
        if output.code != 0:
            raise KubelearnError(f"lesson {self.lesson.id}: `{line}` failed: {output.text.strip()}")
        return output

    async def enter(self, step: Step) -> None:
        """Begin a step: forget the commands and answers of the last one, hold the components it names."""
        self.runner.commands.clear()
        self.context.answers.clear()
        self.context.since = await self._revision()
        await self.pause(step.pause)

    async def _revision(self) -> int:
        """The cluster's revision now; 0 on a cluster whose revisions are no numbers."""
        version = (await self.client.list(EVENTS, limit=1))["metadata"].get("resourceVersion", "")
        return int(version) if version.isdigit() else 0

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
        """Look until all checks pass or the time is over; gives the last look that came to its end."""
        unanswered = Result(False, "no answer from the cluster", "an answer")
        checked = [Checked(check, unanswered) for check in step.checks]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    checked = await self.look(step)
                    if each is not None:
                        each(checked)
                    if all(c.result.passed for c in checked):
                        break
                    await asyncio.sleep(0.2)
        return checked


def engine_of(nodes: list[Obj]) -> str:
    """What the nodes say that runs their containers: `docker`, `process`, on other clusters `containerd` …"""
    for node in nodes:
        runtime = str(node.get("status", {}).get("nodeInfo", {}).get("containerRuntimeVersion", ""))
        if runtime:
            return runtime.partition("://")[0]
    return ""
