"""The gate: holds watch events per component, so that a learner can pause and step a cluster.

Components act only on watch events; holding their deliveries is pausing them, wherever they run. The API server
passes each event of a component's watch through `admit`, or the whole watch through `stream`, which also looks
ahead so that all that is held is known. Held events leave in revision order across all watches of a component. What
is at or below the revision a component has been shown passes: it is no news. Leases and the glass box's own
resources are never held. Nothing here knows of the store or of HTTP; the API server serves it as `gates`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from kubelearn.kit.tasks import Tasks

T = TypeVar("T")

EVERYONE = "*"
EXEMPT = frozenset(
    {"leases.coordination.k8s.io", "spans.kubelearn.dev", "gates.kubelearn.dev"},
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A watch event on its way; `resource` as `pods` or `deployments.apps`, `type` ADDED, MODIFIED or DELETED."""

    revision: int
    type: str
    resource: str
    namespace: str
    name: str


@dataclass(eq=False, slots=True)
class _Ticket:
    pending: Pending
    passed: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class _End:
    """A source has ended, by `error` if not None."""

    error: Exception | None


@dataclass(slots=True)
class _Component:
    """`shown` is the revision up to which the component knows everything, kept exact while it is paused."""

    paused: bool = False
    shown: int = 0
    delivered: int = 0
    waiting: list[_Ticket] = field(default_factory=list)


class Gate:
    """`head` gives the store's newest revision: what a component has been shown at the moment it is paused."""

    def __init__(self, head: Callable[[], int] | None = None) -> None:
        self.head = head or (lambda: 0)
        self._components: dict[str, _Component] = {}
        self._paused_by_default = False
        self._subscribers: list[_Subscriber] = []

    # what a person asks for

    def components(self) -> list[str]:
        return sorted(self._components)

    def is_paused(self, component: str) -> bool:
        """For "*": whether components not seen yet will start paused."""
        state = self._components.get(component)
        return self._paused_by_default if state is None else state.paused

    def waiting(self, component: str) -> list[Pending]:
        """What is held, in the order of delivery; for "*" over all components."""
        tickets = (t.pending for name in self._named(component) for t in self._components[name].waiting)
        return sorted(tickets, key=lambda pending: pending.revision)

    def delivered(self, component: str) -> int:
        """How many revisions were delivered by steps since the component was paused."""
        return sum(self._components[name].delivered for name in self._named(component))

    def shown_revision(self, component: str) -> int | None:
        """The revision a held component lists at; None when it is not held: list at now."""
        state = self._components.get(component)
        return state.shown if state is not None and state.paused else None

    def register(self, component: str) -> None:
        self._state(component)

    def pause(self, component: str) -> None:
        if component == EVERYONE:
            self._paused_by_default = True
        else:
            self.register(component)
        for name in self._named(component):
            state = self._components[name]
            if not state.paused:
                state.paused, state.delivered = True, 0
                state.shown = max(state.shown, self.head())
                self._changed(name)

    def resume(self, component: str) -> None:
        if component == EVERYONE:
            self._paused_by_default = False
        for name in self._named(component):
            state = self._components[name]
            if state.paused:
                state.paused = False
                self._pass(state, sorted(state.waiting, key=_revision))
                self._changed(name)

    def step(self, component: str, count: int = 1) -> int:
        """Deliver the `count` oldest held revisions (for "*": of whichever component); returns how many there were.
        One revision that several watches of a component wait for is one step."""
        done = 0
        for _ in range(count):
            candidates = [name for name in self._named(component) if self._components[name].waiting]
            if not candidates:
                break
            name = min(candidates, key=lambda name: min(map(_revision, self._components[name].waiting)))
            state = self._components[name]
            state.shown = max(state.shown, min(map(_revision, state.waiting)))
            self._pass(state, [t for t in state.waiting if _revision(t) <= state.shown])
            state.delivered += 1
            done += 1
            self._changed(name)
        return done

    def subscribe(self) -> AsyncGenerator[str, None]:
        """Names of components whose state changed, each once however often it did; all known ones first."""
        subscriber = _Subscriber()
        for name in self._components:
            subscriber.tell(name)
        self._subscribers.append(subscriber)
        return self._changes(subscriber)

    async def _changes(self, subscriber: _Subscriber) -> AsyncGenerator[str, None]:
        try:
            while True:
                yield await subscriber.next()
        finally:
            self._subscribers.remove(subscriber)

    # what the API server does with each event

    async def admit(self, component: str, pending: Pending) -> None:
        """Return when `component` may be shown `pending`."""
        ticket = self._ticket(component, pending)
        if ticket is not None:
            await self._wait(component, ticket)

    async def stream(
        self, component: str, source: AsyncIterable[T], describe: Callable[[T], Pending | None]
    ) -> AsyncGenerator[T, None]:
        """`source` with each item held until admitted, reading ahead meanwhile; an item of which `describe` gives
        None (a bookmark) is passed in its turn. Close it (`aclose`) when the watch ends."""
        queue: asyncio.Queue[tuple[T, _Ticket | None] | _End] = asyncio.Queue()
        held: set[_Ticket] = set()

        async def read_ahead() -> None:
            try:
                async for item in source:
                    pending = describe(item)
                    ticket = self._ticket(component, pending) if pending is not None else None
                    if ticket is not None:
                        held.add(ticket)
                    queue.put_nowait((item, ticket))
            except Exception as error:  # noqa: BLE001  raised again to the one who reads the stream
                queue.put_nowait(_End(error))
            else:
                queue.put_nowait(_End(None))

        async with Tasks(f"gate/{component}") as tasks:
            tasks.start(read_ahead(), "read ahead")
            try:
                while not isinstance(entry := await queue.get(), _End):
                    item, ticket = entry
                    if ticket is not None:
                        await self._wait(component, ticket)
                        held.discard(ticket)
                    yield item
            finally:
                self._withdraw(component, held)
        if entry.error is not None:
            raise entry.error

    def _ticket(self, component: str, pending: Pending) -> _Ticket | None:
        """None if `pending` may pass at once."""
        if pending.resource in EXEMPT:
            return None
        state = self._state(component)
        if not state.paused:
            state.shown = max(state.shown, pending.revision)
            return None
        if pending.revision <= state.shown:
            return None
        ticket = _Ticket(pending, asyncio.get_running_loop().create_future())
        state.waiting.append(ticket)
        self._changed(component)
        return ticket

    async def _wait(self, component: str, ticket: _Ticket) -> None:
        try:
            await ticket.passed
        finally:
            self._withdraw(component, [ticket])

    def _withdraw(self, component: str, tickets: Iterable[_Ticket]) -> None:
        """Watches that end take what they waited for with them."""
        waiting = self._components[component].waiting
        gone = [ticket for ticket in tickets if ticket in waiting]
        for ticket in gone:
            waiting.remove(ticket)
        if gone:
            self._changed(component)

    # state

    def _named(self, component: str) -> list[str]:
        if component == EVERYONE:
            return list(self._components)
        return [component] if component in self._components else []

    def _state(self, component: str) -> _Component:
        state = self._components.get(component)
        if state is None:
            state = _Component(self._paused_by_default, self.head() if self._paused_by_default else 0)
            self._components[component] = state
            self._changed(component)
        return state

    @staticmethod
    def _pass(state: _Component, tickets: list[_Ticket]) -> None:
        for ticket in tickets:
            state.waiting.remove(ticket)
            state.shown = max(state.shown, ticket.pending.revision)
            if not ticket.passed.done():
                ticket.passed.set_result(None)

    def _changed(self, component: str) -> None:
        for subscriber in self._subscribers:
            subscriber.tell(component)


class _Subscriber:
    """The changed names that a reader has not taken yet."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._wake = asyncio.Event()

    def tell(self, name: str) -> None:
        self._names[name] = None
        self._wake.set()

    async def next(self) -> str:
        while not self._names:
            self._wake.clear()
            await self._wake.wait()
        name = next(iter(self._names))
        del self._names[name]
        return name


def _revision(ticket: _Ticket) -> int:
    return ticket.pending.revision
