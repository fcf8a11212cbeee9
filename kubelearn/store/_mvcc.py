"""The in-memory MVCC index that every embedded backend answers from: pure, no I/O, no asyncio.

It keeps each key's versions since the last compaction and the log of changes in revision order. A backend
stages writes in a `Batch`, makes them durable its own way, and only then applies them here: what can be read is
on disk. As in etcd, an empty store stands at revision 1, and the state at the compacted revision stays readable.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

from kubelearn.store.interface import Compacted, Conflict, FutureRevision, KeyValue, RangeResult, StoreEvent

FIRST_REVISION = 1
_LAST_CHAR = "\U0010ffff"


def _revision_of(event: StoreEvent) -> int:
    return event.kv.mod_revision


class Index:
    """Versions of all keys, and the log of changes. A revision is one change, or none: etcd may be used by others."""

    def __init__(self) -> None:
        self.revision = FIRST_REVISION
        self.compacted = 0
        self._head: dict[str, KeyValue] = {}
        self._live: list[str] = []
        self._versions: dict[str, list[StoreEvent]] = {}
        self._known: list[str] = []
        self._log: list[StoreEvent] = []

    # reads

    def head(self, key: str) -> KeyValue | None:
        return self._head.get(key)

    def get(self, key: str, revision: int = 0) -> KeyValue | None:
        if not self._is_past(revision):
            return self._head.get(key)
        return self._at(key, revision)

    def range(self, prefix: str, after: str = "", limit: int = 0, revision: int = 0) -> RangeResult:
        past = self._is_past(revision)
        keys = _under(self._known if past else self._live, prefix, after)
        if past:
            found = [kv for key in keys if (kv := self._at(key, revision)) is not None]
            items = found[:limit] if limit else found
            return RangeResult(items, revision, len(found) - len(items))
        taken = keys[:limit] if limit else keys
        return RangeResult([self._head[key] for key in taken], self.revision, len(keys) - len(taken))

    def _is_past(self, revision: int) -> bool:
        """Whether `revision` asks for the past; raises when it cannot be answered."""
        if revision <= 0 or revision == self.revision:
            return False
        if revision > self.revision:
            raise FutureRevision(self.revision)
        if revision < self.compacted:
            raise Compacted(self.compacted)
        return True

    def _at(self, key: str, revision: int) -> KeyValue | None:
        versions = self._versions.get(key, [])
        position = bisect_right(versions, revision, key=_revision_of)
        if position == 0 or versions[position - 1].type == "DELETE":
            return None
        return versions[position - 1].kv

    def log(self, from_revision: int, count: int = 0) -> Sequence[StoreEvent]:
        """Kept changes from `from_revision` on, at most `count` of them (0: all)."""
        start = bisect_left(self._log, from_revision, key=_revision_of)
        return self._log[start : start + count] if count else self._log[start:]

    # writes

    def apply(self, events: Iterable[StoreEvent]) -> None:
        for event in events:
            key = event.kv.key
            self._add_version(event)
            if event.type == "DELETE":
                del self._head[key]
                del self._live[bisect_left(self._live, key)]
            elif key in self._head:
                self._head[key] = event.kv
            else:
                self._head[key] = event.kv
                insort(self._live, key)
            self._log.append(event)
            self.revision = event.revision

    def restore(self, base: Iterable[KeyValue], compacted: int) -> None:
        """Begin a reload: `base` are the versions alive at `compacted`; `apply` what came after."""
        self.compacted = compacted
        self.revision = max(FIRST_REVISION, compacted)
        for kv in base:
            self._head[kv.key] = kv
            self._versions[kv.key] = [StoreEvent("PUT", kv, None)]
        self._live = sorted(self._head)
        self._known = list(self._live)

    def _add_version(self, event: StoreEvent) -> None:
        versions = self._versions.get(event.kv.key)
        if versions is None:
            self._versions[event.kv.key] = [event]
            insort(self._known, event.kv.key)
        else:
            versions.append(event)

    # compaction

    def superseded(self, revision: int) -> list[int]:
        """The revisions whose versions a compaction to `revision` drops, for a backend to delete first."""
        dropped: list[int] = []
        for key in self._touched_until(revision):
            versions = self._versions[key]
            dropped += [event.revision for event in versions[: self._cut(versions, revision)]]
        return dropped

    def compact(self, revision: int) -> None:
        """Forget what only a reader of the past before `revision` could ask for."""
        for key in self._touched_until(revision):
            versions = self._versions[key]
            del versions[: self._cut(versions, revision)]
            if not versions:
                del self._versions[key]
                del self._known[bisect_left(self._known, key)]
            elif versions[0].revision <= revision:
                # Out of the log, it is a state and no change: what was before it may go from memory.
                versions[0] = StoreEvent("PUT", versions[0].kv, None)
        del self._log[: self._logged_until(revision)]
        self.compacted = revision

    def check_compaction(self, revision: int) -> None:
        if revision <= self.compacted:
            raise Compacted(self.compacted)
        if revision > self.revision:
            raise FutureRevision(self.revision)

    def _touched_until(self, revision: int) -> set[str]:
        return {event.kv.key for event in self._log[: self._logged_until(revision)]}

    def _logged_until(self, revision: int) -> int:
        return bisect_right(self._log, revision, key=_revision_of)

    @staticmethod
    def _cut(versions: list[StoreEvent], revision: int) -> int:
        """How many of a key's versions go: all up to `revision`, save the last if the key is then alive."""
        position = bisect_right(versions, revision, key=_revision_of)
        return position - 1 if position and versions[position - 1].type == "PUT" else position


class Batch:
    """Writes in order, on top of an index that has not seen them yet; each gets the next revision."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._staged: dict[str, KeyValue | None] = {}
        self.events: list[StoreEvent] = []

    def put(self, key: str, value: bytes, expect: int | None, cause: bytes) -> KeyValue:
        current = self._current(key, expect)
        revision = self._next_revision()
        key = current.key if current else key  # one string for all versions
        kv = KeyValue(key, value, current.create_revision if current else revision, revision, cause)
        self._stage(StoreEvent("PUT", kv, current), kv)
        return kv

    def delete(self, key: str, expect: int | None, cause: bytes) -> KeyValue | None:
        current = self._current(key, expect)
        if current is None:
            return None
        kv = KeyValue(key, current.value, current.create_revision, self._next_revision(), cause)
        self._stage(StoreEvent("DELETE", kv, current), None)
        return kv

    def _current(self, key: str, expect: int | None) -> KeyValue | None:
        current = self._staged[key] if key in self._staged else self._index.head(key)
        if expect is not None and expect != (current.mod_revision if current else 0):
            raise Conflict(current)
        return current

    def _next_revision(self) -> int:
        return self._index.revision + len(self.events) + 1

    def _stage(self, event: StoreEvent, now: KeyValue | None) -> None:
        self._staged[event.kv.key] = now
        self.events.append(event)


def _under(keys: list[str], prefix: str, after: str) -> list[str]:
    """The slice of sorted `keys` under `prefix` and past `after` (code-point order is UTF-8's byte order)."""
    start = bisect_left(keys, prefix)
    if after:
        start = max(start, bisect_right(keys, after))
    return keys[start : bisect_left(keys, prefix + _LAST_CHAR)]
