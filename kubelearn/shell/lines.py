"""Lines run one after another in a session, whoever types them: a person, a pipe, or `-c`."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator

from kubelearn.client.transport import TransportError
from kubelearn.kit.errors import KubelearnError
from kubelearn.kubectl.session import Session


def says_nothing(line: str) -> bool:
    """A blank line, or a remark."""
    return not line.strip() or line.lstrip().startswith("#")


def leaves(line: str) -> bool:
    return line.strip() in ("exit", "quit")


async def run_all(session: Session, lines: AsyncIterator[str]) -> int:
    """The status of the last line that ran."""
    code = 0
    async for line in lines:
        if leaves(line):
            break
        if not says_nothing(line):
            code = await run_line(session, line.strip())
    return code


async def run_line(session: Session, line: str) -> int:
    """One line; Ctrl-C ends it and whoever typed it goes on."""
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    work = session.execute(
        line, sys.stdout.write, sys.stderr.write, color=colour, width=shutil.get_terminal_size((120, 40)).columns
    )
    running = asyncio.ensure_future(work)  # noqa: TID251  awaited here
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        if not running.cancelled():
            raise
        sys.stdout.write("^C\n")
        return 130
    except (TransportError, KubelearnError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        sys.stdout.flush()
