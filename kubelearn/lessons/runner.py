"""Run a lesson's shell lines as a learner would type them, and keep what they printed."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from kubelearn.api.resource import Resource
from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.kubectl import help
from kubelearn.kubectl.run import check_line, run
from kubelearn.kubectl.verb import Context
from kubelearn.trace.cause import Acting, acting, new_trace_id

PODS = Resource("", "v1", "Pod", "pods", "pod", True)
#: The exit status of a line that did not end in time, as timeout(1) has it.
TIMED_OUT = 124
_PLACEHOLDER = re.compile(r"(\$\{pod:([^}]+)\})")
_SHELL = {"|", "||", "&&", "&", ";", ">", ">>", "<"}


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


def words_of(line: str) -> list[str]:
    """The command in a line without the program: `kubectl get pods` → get, pods. Raises KubelearnError for what the
    shells of kubelearn and a real kubectl would not both take as it is written."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise KubelearnError(f"{error}") from error
    program, verb = (*words, "", "")[:2]
    if program == "kubelearn" and verb in ("kubectl", "k"):
        program, words = verb, words[1:]
        verb = (*words, "", "")[1]
    if program == "kubelearn":
        if verb not in help.own_names():
            raise KubelearnError(f'"{verb}" is no command of kubelearn\'s in a shell')
    elif program not in ("kubectl", "k"):
        raise KubelearnError("a command begins with kubectl, k or kubelearn")
    elif verb in help.own_names() and verb not in help.verb_names():
        raise KubelearnError(f'kubectl has no command "{verb}"; it is kubelearn\'s: kubelearn {verb}')
    if found := _SHELL & set(words):
        raise KubelearnError(f"{sorted(found)[0]}: kubelearn's shell runs one command a line")
    return words[1:]


def problem(line: str) -> str:
    """What is wrong with a line as far as can be told without running it; empty when nothing is."""
    try:
        words = words_of(line)
    except KubelearnError as error:
        return error.message
    return check_line(words)


@dataclass(slots=True)
class Runner:
    """Runs lines one after another in `namespace`; `folder` is where relative file names are looked up; `commands`
    collects the lines that succeeded."""

    client: Client
    folder: Path
    namespace: str = "default"
    commands: list[str] = field(default_factory=list)

    async def run(self, line: str, seconds: float | None = None) -> Output:
        """One line: its exit status and all it printed, standard output and error together. It gets `seconds`."""
        typed = await self._fill_in(line)
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
        try:
            words = words_of(typed)
            async with asyncio.timeout(seconds) as limit:
                with acting(Acting(trace_id=new_trace_id(), command=typed)):
                    code = await run(words, context)
        except KubelearnError as error:
            return Output(typed, 1, f"error: {error.message}\n")
        except TimeoutError:
            if not limit.expired():
                raise
            return Output(typed, TIMED_OUT, "".join(pieces) + f"error: did not end within {seconds:g} s\n")
        if code == 0:
            self.commands.append(typed)
        return Output(typed, code, "".join(pieces))

    async def _fill_in(self, line: str) -> str:
        """Names that only the cluster knows: `${pod:app=web}` is the first pod with that label that stays."""
        for placeholder, selector in _PLACEHOLDER.findall(line):
            pods = (await self.client.list(PODS, self.namespace, label_selector=selector))["items"]
            alive = sorted(p["metadata"]["name"] for p in pods if not p["metadata"].get("deletionTimestamp"))
            line = line.replace(placeholder, alive[0] if alive else "no-such-pod")
        return line
