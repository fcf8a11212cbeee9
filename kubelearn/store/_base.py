"""What the embedded backends share: reads, history and watches from the in-memory index.

A watch is a cursor into the index's log, not a queue: a slow watcher costs no memory, and one that falls behind
the compaction learns it by `Compacted`. A backend makes writes durable its own way, then calls `_publish`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence

from kubelearn.store._mvcc import Index
from kubelearn.store.interface import Compacted, KeyValue, RangeResult, StoreEvent, Watch

DEFAULT_HISTORY = 10_000
_CHUNK = 512


class IndexWatch:
    """A cursor over the log; `next_revision` is the first change not yet looked at. Cancelling a read loses nothing."""

    def __init__(self, index: Index, prefix: str, next_revision: int, leave: Callable[[IndexWatch], None]) -> None:
        self._index = index
        self._leave = leave
        self.prefix = prefix
        self.next_revision = next_revision
        self._chunk: Iterator[StoreEvent] = iter(())
        self._wake = asyncio.Event()
        self._cancelled = False
        self._last = sys.maxsize

    @property
    def progress(self) -> int:
        return self.next_revision - 1

    def __aiter__(self) -> IndexWatch:
        return self

    async def __anext__(self) -> StoreEvent:
        while True:
            for event in self._chunk:
                if self.next_revision <= event.revision <= self._last:
                    self.next_revision = event.revision + 1
                    if event.kv.key.startswith(self.prefix):
                        return event
            if self.next_revision <= self._index.compacted:
                raise Compacted(self._index.compacted + 1)
            chunk = self._index.log(self.next_revision, _CHUNK)
            self._chunk = iter(chunk)
            if self._cancelled and (not chunk or chunk[0].revision > self._last):
                raise StopAsyncIteration
            if not chunk:
                self._wake.clear()
                await self._wake.wait()

    def published(self, matters: bool, before: int, now: int) -> None:
        """The log, which ended at `before`, goes up to `now`: wake if any of it `matters`, else move on: idling is not
        falling behind."""
        if matters:
            self._wake.set()
        elif before < self.next_revision <= now:
            self.next_revision = now + 1

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._last = self._index.revision
            self._leave(self)
            self._wake.set()


class IndexedStore:
    """The reading half of `Store`."""

    def __init__(self, history: int = DEFAULT_HISTORY) -> None:
        self._index = Index()
        self._history = history
        self._watches: list[IndexWatch] = []

    @property
    def revision(self) -> int:
        return self._index.revision

    @property
    def compacted_revision(self) -> int:
        return self._index.compacted

    async def get(self, key: str, revision: int = 0) -> KeyValue | None:
        return self._index.get(key, revision)

    async def range(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> RangeResult:
        return self._index.range(prefix, after, limit, revision)

    async def history(self, prefix: str, from_revision: int = 0, limit: int = 0) -> list[StoreEvent]:
        """The first `limit` kept changes from `from_revision` on (0: all)."""
        found = [event for event in self._index.log(from_revision) if event.kv.key.startswith(prefix)]
        return found[:limit] if limit else found

    def watch(self, prefix: str, start_revision: int) -> Watch:
        """`start_revision` 0 means only changes from now on."""
        start = start_revision or self._index.revision + 1
        if start <= self._index.compacted:
            raise Compacted(self._index.compacted + 1)
        watch = IndexWatch(self._index, prefix, start, self._watches.remove)
        self._watches.append(watch)
        return watch

    def _publish(self, events: Sequence[StoreEvent]) -> None:
        """Make durable changes readable and tell the watches."""
        if not events:
            return
        before = self._index.revision
        self._index.apply(events)
        matters: dict[str, bool] = {}
        for watch in self._watches:
            prefix = watch.prefix
            if prefix not in matters:
                matters[prefix] = any(event.kv.key.startswith(prefix) for event in events)
            watch.published(matters[prefix], before, events[-1].revision)

    def _compaction_due(self) -> int:
        """The revision to compact to, or 0. It runs a tenth late, so that many writes share its cost."""
        target = self._index.revision - self._history
        if target - max(self._index.compacted, 1) <= max(1, self._history // 10):
            return 0
        return target

    def _end_watches(self) -> None:
        for watch in list(self._watches):
            watch.cancel()
