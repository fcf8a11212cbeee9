"""A shell session on one cluster, which the REPL and the TUI share: runs lines, completes them, keeps a namespace."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from kubelearn.client.rest import Client
from kubelearn.kubectl.complete import PROGRAMS, ClusterSource, Suggestion, suggest
from kubelearn.kubectl.run import run
from kubelearn.kubectl.verb import Context
from kubelearn.trace.cause import Acting, acting, new_trace_id

Write = Callable[[str], object]


def void(_value: object) -> None:
    """Drop what a stream's `write` answers."""


class _NoInput:
    """A line typed into a pane has no standard input."""

    is_tty = False

    async def read_all(self) -> bytes:
        return b""

    async def chunks(self) -> AsyncIterator[bytes]:
        return
        yield b""


class Session:
    """`folder` is where relative file names are looked up; `ran` is told each line that succeeded."""

    def __init__(
        self, client: Client, namespace: str = "default", folder: Path | None = None, ran: Write = void
    ) -> None:
        self.client = client
        self.namespace = namespace
        self.folder = folder or Path.cwd()
        self._ran = ran
        self._source = ClusterSource(client)
        self._cache: dict[str, Any] = {}

    async def execute(self, line: str, out: Write, err: Write, *, color: bool = False, width: int = 120) -> int:
        """Run a line as typed: with or without `kubectl`, `k` or `kubelearn` in front. Gives the exit status."""
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            err(f"error: {error}\n")
            return 1
        while words and words[0] in PROGRAMS:
            words = words[1:]
        context = Context(
            client=self.client,
            out=lambda text: void(out(text)),
            err=lambda text: void(err(text)),
            raw=lambda data: void(out(data.decode(errors="replace"))),
            stdin=_NoInput(),
            namespace=self.namespace,
            color=color,
            width=width,
            cwd=str(self.folder),
            cache=self._cache,
        )
        with acting(Acting(trace_id=new_trace_id(), command=line.strip())):
            code = await run(words, context)
        self.namespace = context.namespace
        if code == 0:
            self._ran(line.strip())
        return code

    async def suggest(self, text: str, cursor: int) -> list[Suggestion]:
        """Completions of a line; raises what the client raises when the cluster cannot be asked."""
        return await suggest(text, cursor, self._source, self.namespace)
