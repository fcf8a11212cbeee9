"""Whether the Docker daemon answers: pinged now and then, because a daemon that hangs tells nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from kubelearn.kit.errors import KubelearnError

log = logging.getLogger(__name__)

_EVERY_SECONDS = 2.0
_PATIENCE_SECONDS = 8.0  # a busy machine must not look like a dead daemon
_SILENT = f"Docker does not answer: it has been silent for {_PATIENCE_SECONDS:.0f} seconds"


class Health:
    """`problem` is why the daemon cannot be used now, empty while it can. `watch` keeps it true."""

    def __init__(self, ping: Callable[[], Awaitable[None]]) -> None:
        self._ping = ping
        self.problem = ""
        self._changed = asyncio.Event()

    async def watch(self) -> None:
        """Runs for ever."""
        while True:
            self._set(await self._look())
            await asyncio.sleep(_EVERY_SECONDS)

    async def _look(self) -> str:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._ping()
        except TimeoutError:
            return _SILENT
        except KubelearnError as error:
            return error.message
        return ""

    def _set(self, problem: str) -> None:
        """Only the first problem of a row is told; how it is worded in between does not matter."""
        if bool(problem) == bool(self.problem):
            return
        log.warning("%s", problem or "Docker answers again")
        self.problem = problem
        self._changed.set()
        self._changed = asyncio.Event()

    async def changes(self) -> AsyncIterator[str]:
        """The problem whenever there is a new one, and an empty string when it is over."""
        told = ""
        while True:
            while bool(told) == bool(self.problem):
                await self._changed.wait()
            told = self.problem
            yield told

    async def well(self) -> None:
        """Returns when the daemon answers."""
        while self.problem:
            await self._changed.wait()
