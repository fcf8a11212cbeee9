"""The pods that wait for a node: ready to be tried, backing off, or waiting for the cluster to change.

As in kube-scheduler, a pod that was rejected is tried again only after a change that could help it, with a back-off
of 1 s doubling to 10 s; while nothing else is ready, a rejected pod's back-off is not waited for, one after a fault
is. Pure: the time is given. Entries live as long as their pod waits, whatever happens to it meanwhile.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from kubelearn.scheduler.framework import PodInfo

FIRST_BACKOFF = 1.0
LONGEST_BACKOFF = 10.0
LONGEST_WAIT = 300.0


@dataclass(eq=False, slots=True)
class Entry:
    """`cause` is the revision because of which the pod is tried: its own creation, or the change that may help.
    `report` is the task that still tells the API of the last attempt."""

    pod: PodInfo
    cause: int
    attempts: int = 0
    tried_at: float = 0.0
    rejected_by: frozenset[str] = frozenset()
    place: Literal["active", "backoff", "waiting", "held", "tried"] = "active"
    faulty: bool = False
    order: int = 0
    report: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def due(self) -> float:
        return self.tried_at + min(LONGEST_BACKOFF, FIRST_BACKOFF * (1 << min(self.attempts, 10)) / 2)


class PodQueue:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._entries: dict[str, Entry] = {}
        self._active: list[tuple[int, int, Entry]] = []
        self._orders = count()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, uid: str) -> bool:
        return uid in self._entries

    def put(self, pod: PodInfo) -> None:
        """A pod without a node was seen, or seen again: what it asks for may have changed."""
        entry = self._entries.get(pod.uid)
        if entry is None:
            self._entries[pod.uid] = entry = Entry(pod, pod.revision)
            self._activate(entry)
            return
        asks_otherwise = entry.pod.spec != pod.spec or entry.pod.labels != pod.labels
        entry.pod = pod
        if asks_otherwise and entry.place in ("waiting", "backoff"):
            entry.cause = pod.revision
            self._activate(entry)

    def remove(self, uid: str) -> None:
        """The pod has a node, or is gone."""
        entry = self._entries.pop(uid, None)
        if entry is not None:
            entry.place = "tried"

    def pop(self) -> Entry | None:
        """The next pod to try: by priority, then by age; None if there is none now."""
        self._bring_in_due()
        while self._active:
            entry = heapq.heappop(self._active)[2]
            if entry.place == "active":
                return self._try(entry)
        eager = [e for e in self._entries.values() if e.place == "backoff" and not e.faulty]
        return self._try(min(eager, key=lambda e: e.due)) if eager else None

    def _try(self, entry: Entry) -> Entry:
        entry.place = "tried"
        entry.attempts += 1
        entry.tried_at = self._now()
        entry.faulty = False
        return entry

    def reject(self, entry: Entry, rejected_by: frozenset[str]) -> None:
        """No node will do until something changes."""
        if entry.pod.uid in self._entries:
            entry.rejected_by = rejected_by
            entry.place = "waiting"

    def hold(self, entry: Entry) -> None:
        """Not to be tried, whatever happens, until it is let go."""
        if entry.place == "waiting":
            entry.place = "held"

    def let_go(self, entry: Entry) -> None:
        if entry.place == "held":
            entry.place = "waiting"

    def retry(self, entry: Entry) -> None:
        """The attempt failed by a fault: try again after the back-off."""
        if entry.pod.uid in self._entries:
            entry.faulty = True
            entry.place = "backoff"

    def moved(self, revision: int, helps: Callable[[Entry], bool]) -> None:
        """The cluster changed by `revision`: those that it `helps` are tried again."""
        for entry in self._entries.values():
            if entry.place == "waiting" and helps(entry):
                entry.cause = revision
                if entry.due <= self._now():
                    self._activate(entry)
                else:
                    entry.place = "backoff"

    def next_due(self) -> float | None:
        """When to look again though nothing has changed."""
        times = [e.due for e in self._entries.values() if e.place == "backoff"]
        times += [e.tried_at + LONGEST_WAIT for e in self._entries.values() if e.place == "waiting"]
        return min(times, default=None)

    def _bring_in_due(self) -> None:
        now = self._now()
        for entry in self._entries.values():
            backed_off = entry.place == "backoff" and entry.due <= now
            if backed_off or (entry.place == "waiting" and entry.tried_at + LONGEST_WAIT <= now):
                self._activate(entry)

    def _activate(self, entry: Entry) -> None:
        entry.place = "active"
        entry.order = next(self._orders)
        heapq.heappush(self._active, (-entry.pod.priority, entry.order, entry))
