"""A timer that rings at the earliest of the times it was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """`ring()` is called once, then it is silent until asked again."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._call = ring
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def within(self, seconds: float) -> None:
        """The earliest wish holds."""
        loop = asyncio.get_running_loop()
        due = loop.time() + max(seconds, 0.0)
        if self._timer and self._due <= due:
            return
        if self._timer:
            self._timer.cancel()
        self._due = due
        self._timer = loop.call_at(due, self._ring)

    def _ring(self) -> None:
        """It may be a moment too early (uvloop's timers have whole milliseconds): the next wish must not rely on it."""
        self._timer = None
        self._call()

    def cancel(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
