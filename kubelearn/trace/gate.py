"""The gate: holds watch events per component, so that a learner can pause and step a cluster.

Components act only on watch events; holding their deliveries is pausing them, wherever they run. The API server
passes each event of a component's watch through `admit`, or the whole watch through a `held.Stream`, which also looks
ahead so that all that is held is known. Held events leave in revision order across all watches of a component. What
is at or below the revision a component has been shown passes: it is no news. Leases and the glass box's own
resources are never held. Nothing here knows of the store or of HTTP; the API server serves it as `gates`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field

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
class Ticket:
    """An event that waits; `passed` is done when it may be shown."""

    pending: Pending
    passed: asyncio.Future[None]


@dataclass(slots=True)
class _Component:
    """`shown` is the revision up to which the component knows everything, kept exact while it is paused."""

    paused: bool = False
    shown: int = 0
    delivered: int = 0
    waiting: list[Ticket] = field(default_factory=list)


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
        ticket = self.ticket(component, pending)
        if ticket is not None:
            try:
                await ticket.passed
            finally:
                self.withdraw(component, [ticket])

    def ticket(self, component: str, pending: Pending) -> Ticket | None:
        """None if `pending` may pass at once."""
        if pending.resource in EXEMPT:
            return None
        state = self._state(component)
        if not state.paused:
            state.shown = max(state.shown, pending.revision)
            return None
        if pending.revision <= state.shown:
            return None
        ticket = Ticket(pending, asyncio.get_running_loop().create_future())
        state.waiting.append(ticket)
        self._changed(component)
        return ticket

    def withdraw(self, component: str, tickets: Iterable[Ticket]) -> None:
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
    def _pass(state: _Component, tickets: list[Ticket]) -> None:
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


def _revision(ticket: Ticket) -> int:
    return ticket.pending.revision
