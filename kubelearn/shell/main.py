"""`kubelearn shell`: the REPL as a process, lines that are piped in, or one line with `-c`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from kubelearn.client import kubeconfig
from kubelearn.client.rest import Client
from kubelearn.kubectl.session import Session, Write, void
from kubelearn.shell.lines import run_all


async def shell(config_path: Path | None, context: str, line: str | None, ran: Write = void) -> int:
    """Against the cluster of `config_path`, or of `context` in the user's kubeconfig; `ran` is told each line that
    succeeded. The last exit status."""
    config = kubeconfig.load(config_path, context)
    transport = kubeconfig.transport(config)
    session = Session(Client(transport), namespace=config.namespace or "default", ran=ran)
    try:
        if line is not None:
            return await run_all(session, _one(line))
        if not sys.stdin.isatty():
            return await run_all(session, _piped())
        from kubelearn.shell.repl import repl

        history = config_path.parent / "shell-history" if config_path else None
        return await repl(session, history, config.context)
    finally:
        await transport.close()
        sys.stdout.flush()


async def _one(line: str) -> AsyncIterator[str]:
    yield line


async def _piped() -> AsyncIterator[str]:
    """Lines of standard input as they come, so that a program at the other end of the pipe sees each answer."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line
