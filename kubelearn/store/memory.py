"""The store without a disk, for tests and throw-away clusters: same semantics, nothing survives the process."""

from __future__ import annotations

from kubelearn.store._base import DEFAULT_HISTORY, IndexedStore
from kubelearn.store._mvcc import Batch
from kubelearn.store.interface import KeyValue, StoreError


class MemoryStore(IndexedStore):
    def __init__(self, history: int = DEFAULT_HISTORY) -> None:
        super().__init__(history)
        self._closed = False

    async def put(self, key: str, value: bytes, *, expect: int | None = None, cause: bytes = b"") -> KeyValue:
        batch = self._batch()
        kv = batch.put(key, value, expect, cause)
        self._commit(batch)
        return kv

    async def delete(self, key: str, *, expect: int | None = None, cause: bytes = b"") -> KeyValue | None:
        batch = self._batch()
        kv = batch.delete(key, expect, cause)
        self._commit(batch)
        return kv

    async def compact(self, revision: int) -> None:
        self._index.check_compaction(revision)
        self._index.compact(revision)

    async def open(self) -> None:
        self._closed = False

    async def close(self) -> None:
        self._closed = True
        self._end_watches()

    def _batch(self) -> Batch:
        if self._closed:
            raise StoreError("the store is closed; start the cluster again")
        return Batch(self._index)

    def _commit(self, batch: Batch) -> None:
        self._publish(batch.events)
        if due := self._compaction_due():
            self._index.compact(due)
