"""A whole watch on its way through the gate.

Items pass one by one until one is held; from then on the stream reads ahead, so that all that is held is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kubelearn.kit.tasks import Tasks
from kubelearn.trace.gate import Gate, Pending, Ticket

T = TypeVar("T")

#: How far a held watch reads ahead; past that it falls behind, as any slow watcher does, instead of filling the memory.
_AHEAD = 10_000


@dataclass(frozen=True, slots=True)
class _End:
    """A source has ended, by `error` if not None."""

    error: Exception | None


class Stream(Generic[T]):
    """`source` with each item held until admitted; an item of which `describe` gives None (a bookmark) is passed in its
    turn. Close it (`aclose`) when the watch ends. If cancelling a read of `source` loses nothing, neither does it here.
    """

    def __init__(
        self, gate: Gate, component: str, source: AsyncIterable[T], describe: Callable[[T], Pending | None]
    ) -> None:
        self._gate, self._component = gate, component
        self._source, self._describe = aiter(source), describe
        self._next: tuple[T, Ticket | None] | _End | None = None
        self._ahead: asyncio.Queue[tuple[T, Ticket | None] | _End] = asyncio.Queue(_AHEAD)
        self._held: set[Ticket] = set()
        self._tasks = Tasks(f"gate/{component}")
        self.reading_ahead = False

    def __aiter__(self) -> Stream[T]:
        return self

    async def __anext__(self) -> T:
        if self._next is None:
            self._next = await self._ahead.get() if self.reading_ahead else await self._look()
        if isinstance(self._next, _End):
            raise self._next.error or StopAsyncIteration
        item, ticket = self._next
        if ticket is not None:
            if not self.reading_ahead:
                self.reading_ahead = True
                self._tasks.start(self._read_ahead(), "read ahead")
            await asyncio.shield(ticket.passed)
            self._gate.withdraw(self._component, [ticket])
            self._held.discard(ticket)
        self._next = None
        return item

    async def _look(self) -> tuple[T, Ticket | None]:
        item = await anext(self._source)
        pending = self._describe(item)
        ticket = self._gate.ticket(self._component, pending) if pending is not None else None
        if ticket is not None:
            self._held.add(ticket)
        return item, ticket

    async def _read_ahead(self) -> None:
        try:
            while True:
                await self._ahead.put(await self._look())
        except StopAsyncIteration:
            await self._ahead.put(_End(None))
        except Exception as error:  # noqa: BLE001  raised again to the one who reads the stream
            await self._ahead.put(_End(error))

    async def aclose(self) -> None:
        """What waited is withdrawn."""
        await self._tasks.close()
        if self._held:
            self._gate.withdraw(self._component, self._held)
