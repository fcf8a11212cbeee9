"""Run a lesson's shell lines as a learner would type them, and keep what they printed."""

from __future__ import annotations

import re
import shlex
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from kubelearn.api.resource import Resource
from kubelearn.client.rest import Client
from kubelearn.kubectl.run import run
from kubelearn.kubectl.verb import Context
from kubelearn.trace.cause import Acting, acting, new_trace_id

PODS = Resource("", "v1", "Pod", "pods", "pod", True)
_PLACEHOLDER = re.compile(r"(\$\{pod:([^}]+)\})")
_PROGRAMS = ("kubectl", "k", "kubelearn")


@dataclass(frozen=True, slots=True)
class Output:
    line: str
    code: int
    text: str


class NoInput:
    """Standard input of a line that nobody types to."""

    is_tty = False

    async def read_all(self) -> bytes:
        return b""

    async def chunks(self) -> AsyncIterator[bytes]:
        return
        yield b""


@dataclass(slots=True)
class Runner:
    """Runs lines one after another in `namespace`; `folder` is where relative file names are looked up; `commands`
    collects the lines that succeeded."""

    client: Client
    folder: Path
    namespace: str = "default"
    commands: list[str] = field(default_factory=list)

    async def run(self, line: str) -> Output:
        """One line: its exit status and all it printed, standard output and error together."""
        typed = await self._fill_in(line)
        words = shlex.split(typed)
        if words and words[0] in _PROGRAMS:
            words = words[1:]
        pieces: list[str] = []
        context = Context(
            client=self.client,
            out=pieces.append,
            err=pieces.append,
            raw=lambda data: pieces.append(data.decode(errors="replace")),
            stdin=NoInput(),
            namespace=self.namespace,
            cwd=str(self.folder),
        )
        with acting(Acting(trace_id=new_trace_id(), command=typed)):
            code = await run(words, context)
        if code == 0:
            self.commands.append(typed)
        return Output(typed, code, "".join(pieces))

    async def _fill_in(self, line: str) -> str:
        """Names that only the cluster knows: `${pod:app=web}` is the first running pod with that label."""
        for placeholder, selector in _PLACEHOLDER.findall(line):
            pods = (await self.client.list(PODS, self.namespace, label_selector=selector))["items"]
            alive = sorted(p["metadata"]["name"] for p in pods if not p["metadata"].get("deletionTimestamp"))
            line = line.replace(placeholder, alive[0] if alive else "no-such-pod")
        return line
