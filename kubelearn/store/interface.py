"""The store's interface: etcd's semantics in twelve methods. Implementations: sqlite, memory, etcd.

One global revision counts every write. A key has a create and a mod revision. Reads may ask for an old revision
until it is compacted. Values are opaque bytes. Source: the etcd v3 API documentation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class KeyValue:
    """`cause` is the encoded `trace.Cause` of the write that made this version."""

    key: str
    value: bytes
    create_revision: int
    mod_revision: int
    cause: bytes = b""


@dataclass(frozen=True, slots=True)
class StoreEvent:
    """One change. For DELETE, `kv` holds the last value with the deletion's own mod_revision and cause."""

    type: Literal["PUT", "DELETE"]
    kv: KeyValue
    previous: KeyValue | None

    @property
    def revision(self) -> int:
        return self.kv.mod_revision


@dataclass(frozen=True, slots=True)
class RangeResult:
    """`revision` is the one the answer holds at; `remaining` counts keys past the limit."""

    items: list[KeyValue]
    revision: int
    remaining: int = 0


class StoreError(Exception):
    """The store cannot go on (full disk, damaged file): the message says what to do."""


class Conflict(Exception):
    """A compare-and-swap found another version; `current` is it, or None when the key is not there."""

    def __init__(self, current: KeyValue | None) -> None:
        super().__init__("revision conflict")
        self.current = current


class Compacted(Exception):
    """The revision asked for is gone; `oldest` is the first one kept."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"required revision has been compacted, oldest is {oldest}")
        self.oldest = oldest


class FutureRevision(Exception):
    """The revision asked for has not been written yet; `current` is the newest."""

    def __init__(self, current: int) -> None:
        super().__init__(f"revision is in the future, current is {current}")
        self.current = current


class Watch(Protocol):
    """Changes under a prefix in revision order, none skipped. Iteration raises Compacted if it fell too far behind; a
    read that is cancelled (by a timeout, say) loses nothing. After `cancel` iteration ends with what was written before
    it."""

    @property
    def progress(self) -> int:
        """The revision up to which every change has been given."""
        ...

    def __aiter__(self) -> AsyncIterator[StoreEvent]: ...
    def cancel(self) -> None: ...


class Store(Protocol):
    """A write returns when it is durable. Writes that do not wait for each other may be applied in any order."""

    @property
    def revision(self) -> int: ...
    @property
    def compacted_revision(self) -> int: ...
    async def get(self, key: str, revision: int = 0) -> KeyValue | None: ...
    async def range(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> RangeResult:
        """Keys under `prefix` in byte order, starting after the key `after`; `revision` 0 means now.
        Raises Compacted or FutureRevision."""
        ...

    async def put(self, key: str, value: bytes, *, expect: int | None = None, cause: bytes = b"") -> KeyValue:
        """`expect` is the mod_revision that must be current (0: must not exist, None: any). Raises Conflict."""
        ...

    async def delete(self, key: str, *, expect: int | None = None, cause: bytes = b"") -> KeyValue | None:
        """The deleted version with the deletion's revision, or None if there was none. Raises Conflict."""
        ...

    def watch(self, prefix: str, start_revision: int) -> Watch:
        """Every change with revision ≥ start_revision. Raises Compacted at once if history lacks it."""
        ...

    async def history(self, prefix: str, from_revision: int = 0, limit: int = 0) -> list[StoreEvent]:
        """Kept changes in order: what the timeline and `why` read."""
        ...

    async def compact(self, revision: int) -> None: ...
    async def open(self) -> None: ...
    async def close(self) -> None: ...
