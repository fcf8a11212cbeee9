"""How many requests of one user are worked on at once: one runaway client must not starve the rest.

A simple form of API Priority and Fairness: each user has seats of his own and a short queue for them; what finds the queue
full, or waits too long, is answered 429 with Retry-After. A long list takes several seats, because it holds up the others
for longer. Administrators and watches are exempt, as in Kubernetes. Source: KEP-1040 and the documentation of flow control.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from kubelearn.api import errors
from kubelearn.apiserver import keys
from kubelearn.apiserver.routing import Route
from kubelearn.client.transport import Request

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

SEATS, QUEUE, WAIT_SECONDS = 20, 100, 15.0
_OBJECTS_PER_SEAT, _MAX_WIDTH = 100, 10


class Flow:
    def __init__(self, seats: int = SEATS, queue: int = QUEUE, wait_seconds: float = WAIT_SECONDS) -> None:
        self._seats, self._queue, self._wait = seats, queue, wait_seconds
        self._users: dict[str, _Seats] = {}

    @contextlib.asynccontextmanager
    async def admit(self, user: str, width: int = 1) -> AsyncIterator[None]:
        """Hold `width` of the user's seats; raises ApiError 429."""
        mine = self._users.setdefault(user, _Seats(self._seats))
        width = min(width, self._seats)
        if len(mine.waiting) >= self._queue:
            raise _too_many()
        try:
            async with asyncio.timeout(self._wait):
                await mine.take(width)
        except TimeoutError:
            raise _too_many() from None
        try:
            yield
        finally:
            mine.give(width)
            if mine.free == self._seats and not mine.waiting:
                self._users.pop(user, None)


class _Seats:
    """First come, first served."""

    def __init__(self, count: int) -> None:
        self.free = count
        self.waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, width: int) -> None:
        if not self.waiting and self.free >= width:
            self.free -= width
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((width, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self.waiting.remove((width, turn))
                self.give(0)  # who stands behind may need less
            else:
                self.give(width)
            raise

    def give(self, width: int) -> None:
        self.free += width
        while self.waiting and self.free >= self.waiting[0][0]:
            wanted, turn = self.waiting.popleft()
            if not turn.cancelled():
                self.free -= wanted
                turn.set_result(None)


async def width_of(server: ApiServer, request: Request) -> int:
    """How many seats a request takes: a list one for each hundred objects it reads, ten at most."""
    if request.method != "GET" or request.path.count("/") < 3 or not request.path.startswith(("/api/", "/apis/")):
        return 1
    route = Route.of(request)
    kind = server.registry.find(route.group, route.version, route.plural)
    if kind is None or route.verb != "list":
        return 1
    root = keys.prefix(server.registry.stored(kind).resource, route.namespace)
    count = (await server.store.range(root, limit=1)).remaining + 1
    limit = request.param("limit")
    if limit.isdecimal() and int(limit):
        count = min(count, int(limit))
    return min(max(1, -(-count // _OBJECTS_PER_SEAT)), _MAX_WIDTH)


def _too_many() -> errors.ApiError:
    return errors.too_many_requests("too many requests, please try again later", 1)
