"""How many requests of one user are worked on at once: one runaway client must not starve the rest.

A simple form of API Priority and Fairness: each user has seats of his own and a short queue for them; what finds the queue
full, or waits too long, is answered 429 with Retry-After. Administrators and watches are exempt, as in Kubernetes.
Source: KEP-1040 and the documentation of flow control.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from kubelearn.api import errors

SEATS, QUEUE, WAIT_SECONDS = 20, 100, 15.0


@dataclass(slots=True)
class _Seats:
    free: asyncio.Semaphore
    users: int = field(default=0)


class Flow:
    def __init__(self, seats: int = SEATS, queue: int = QUEUE, wait_seconds: float = WAIT_SECONDS) -> None:
        self._seats, self._queue, self._wait = seats, queue, wait_seconds
        self._users: dict[str, _Seats] = {}

    @contextlib.asynccontextmanager
    async def admit(self, user: str) -> AsyncIterator[None]:
        """Hold a seat of the user's; raises ApiError 429."""
        mine = self._users.setdefault(user, _Seats(asyncio.Semaphore(self._seats)))
        if mine.users >= self._seats + self._queue:
            raise _too_many()
        mine.users += 1
        try:
            try:
                async with asyncio.timeout(self._wait):
                    await mine.free.acquire()
            except TimeoutError:
                raise _too_many() from None
            try:
                yield
            finally:
                mine.free.release()
        finally:
            mine.users -= 1
            if not mine.users:
                del self._users[user]


def _too_many() -> errors.ApiError:
    return errors.too_many_requests("too many requests, please try again later", 1)
