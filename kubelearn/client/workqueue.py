"""A work queue for controllers: each key once, never by two workers at a time, and with what put it there.

Semantics of client-go's workqueue: a key added while it is worked on is handed out again after `done`; failures
come back with a per-key exponential delay. New here: a key carries the `Acting` of the newest event that added it, so
that what a reconcile writes names its cause.
"""

from __future__ import annotations

import asyncio
from collections import deque

from kubelearn.trace.cause import Acting


class QueueClosed(Exception):
    """The queue was shut down."""


class WorkQueue:
    """Not thread-safe: one event loop. `base_delay` doubles with each failure of a key up to `max_delay` seconds."""

    def __init__(self, base_delay: float = 0.005, max_delay: float = 60.0) -> None:
        self._base_delay = base_delay
        self._max_delay = max_delay
        self._ready: deque[str] = deque()
        self._dirty: dict[str, Acting | None] = {}
        self._processing: set[str] = set()
        self._failures: dict[str, int] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def __len__(self) -> int:
        """Keys waiting to be handed out, delayed ones not counted."""
        return len(self._ready)

    def idle(self) -> bool:
        """Nothing waits and nothing is worked on (keys may still be delayed)."""
        return not self._dirty and not self._processing

    def add(self, key: str, acting: Acting | None = None) -> None:
        if self._closed:
            return
        if key in self._dirty:
            self._dirty[key] = _newer(self._dirty[key], acting)
            return
        self._dirty[key] = acting
        if key not in self._processing:
            self._ready.append(key)
            self._wake()

    def add_after(self, key: str, seconds: float, acting: Acting | None = None) -> None:
        """Add the key later; of several delays of a key the earliest holds."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key, acting)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        waiting = self._timers.get(key)
        if waiting is not None:
            if waiting.when() <= due:
                return
            waiting.cancel()
        self._timers[key] = loop.call_at(due, self._due, key, acting)

    def _due(self, key: str, acting: Acting | None) -> None:
        self._timers.pop(key, None)
        self.add(key, acting)

    def add_rate_limited(self, key: str, acting: Acting | None = None) -> float:
        """Add the key after the delay that its failures so far have earned; returns the seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(self._base_delay * float(1 << min(failures, 30)), self._max_delay)
        self.add_after(key, delay, acting)
        return delay

    def forget(self, key: str) -> None:
        """The key succeeded: its failures no longer count."""
        self._failures.pop(key, None)

    def failures(self, key: str) -> int:
        return self._failures.get(key, 0)

    async def get(self) -> tuple[str, Acting | None]:
        """The next key and its cause; call `done` with it afterwards. Raises QueueClosed."""
        while not self._ready:
            if self._closed:
                raise QueueClosed
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake()  # the wake-up was meant for somebody
                raise
        key = self._ready.popleft()
        acting = self._dirty.pop(key)
        self._processing.add(key)
        return key, acting

    def done(self, key: str) -> None:
        self._processing.discard(key)
        if key in self._dirty:
            self._ready.append(key)
            self._wake()

    def close(self) -> None:
        """Hand out nothing more; waiting workers get QueueClosed."""
        self._closed = True
        self._ready.clear()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        while self._waiters:
            self._wake()

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return


def _newer(old: Acting | None, new: Acting | None) -> Acting | None:
    if old is None or new is None:
        return new or old
    return new if new.revision >= old.revision else old
