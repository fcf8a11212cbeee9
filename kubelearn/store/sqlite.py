"""The embedded default: SQLite as the durable log below the in-memory index.

One table holds a row per revision. Writes queue; one committer takes all that wait, stages them on the index,
writes them in one transaction (WAL, full sync) on a thread of its own, then publishes and answers: a write that
was answered, read or watched is on disk, and the event loop never waits for one. Reads never touch the file.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kubelearn.kit.tasks import Tasks
from kubelearn.store._base import DEFAULT_HISTORY, IndexedStore
from kubelearn.store._mvcc import Batch
from kubelearn.store._sqlite_file import SqliteFile
from kubelearn.store.interface import Compacted, Conflict, FutureRevision, KeyValue, StoreError

_BATCH = 1024
T = TypeVar("T")


@dataclass(slots=True)
class _Write:
    """`stage` puts it into a batch; the answer is set when the batch is on disk."""

    stage: Callable[[Batch], KeyValue | None]
    answer: asyncio.Future[KeyValue | None]


@dataclass(slots=True)
class _Compaction:
    revision: int
    answer: asyncio.Future[KeyValue | None]


class SqliteStore(IndexedStore):
    def __init__(self, path: Path, history: int = DEFAULT_HISTORY) -> None:
        super().__init__(history)
        self._file = SqliteFile(path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._tasks = Tasks("store")
        self._committer: asyncio.Task[None] | None = None
        self._queue: list[_Write | _Compaction] = []
        self._wake = asyncio.Event()
        self._refusal: StoreError | None = StoreError("the store is not open")
        self._closing = False

    # lifecycle

    async def open(self) -> None:
        """Read the file into the index; raises StoreError if it is damaged, in use or of another version."""
        state = await self._on_thread(self._file.open)
        self._index.restore(state.base, state.compacted)
        self._index.apply(state.events())
        self._refusal = None
        self._committer = self._tasks.start(self._commit_forever(), "commit")

    async def close(self) -> None:
        """Commit what waits, then let go of the file."""
        self._refusal = self._refusal or StoreError("the store is closed; start the cluster again")
        self._closing = True
        self._wake.set()
        if self._committer is not None:
            await asyncio.wait([self._committer])
        await self._on_thread(self._file.close)
        self._thread.shutdown()
        self._end_watches()

    # writes

    async def put(self, key: str, value: bytes, *, expect: int | None = None, cause: bytes = b"") -> KeyValue:
        written = await self._submit(_Write(lambda batch: batch.put(key, value, expect, cause), _future()))
        assert written is not None
        return written

    async def delete(self, key: str, *, expect: int | None = None, cause: bytes = b"") -> KeyValue | None:
        return await self._submit(_Write(lambda batch: batch.delete(key, expect, cause), _future()))

    async def compact(self, revision: int) -> None:
        await self._submit(_Compaction(revision, _future()))

    async def _submit(self, operation: _Write | _Compaction) -> KeyValue | None:
        if refusal := self._refusal or self._file.broken:
            raise StoreError(str(refusal))
        self._queue.append(operation)
        self._wake.set()
        return await operation.answer

    # the committer

    async def _commit_forever(self) -> None:
        try:
            while self._queue or not self._closing:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    await self._commit_next()
        finally:
            self._refusal = self._refusal or StoreError("the store's committer has stopped; see the log")
            for operation in self._queue:
                _fail(operation, self._refusal)

    async def _commit_next(self) -> None:
        """All waiting writes up to the next compaction in one transaction, or that compaction."""
        first = self._queue[0]
        if isinstance(first, _Compaction):
            del self._queue[0]
            await self._answer_compaction(first)
            return
        writes: list[_Write] = []
        for operation in self._queue[:_BATCH]:
            if isinstance(operation, _Compaction):
                break
            writes.append(operation)
        del self._queue[: len(writes)]
        if self._file.broken is None:
            await self._commit(writes)
        else:
            for write in writes:
                _fail(write, self._file.broken)
        if (due := self._compaction_due()) and self._file.broken is None:
            with contextlib.suppress(StoreError):  # a full disk: the history stays, later writes try again
                await self._compact(due)

    async def _commit(self, writes: Sequence[_Write]) -> None:
        batch = Batch(self._index)
        answers: list[KeyValue | Conflict | None] = []
        for write in writes:
            try:
                answers.append(write.stage(batch))
            except Conflict as conflict:
                answers.append(conflict)
        if batch.events:
            try:
                await self._on_thread(lambda: self._file.append(batch.events))
            except StoreError as error:
                for write in writes:
                    _fail(write, error)
                return
        self._publish(batch.events)
        for write, answer in zip(writes, answers, strict=True):
            if isinstance(answer, Conflict):
                _fail(write, answer)
            elif not write.answer.done():
                write.answer.set_result(answer)

    async def _answer_compaction(self, compaction: _Compaction) -> None:
        try:
            self._index.check_compaction(compaction.revision)
            await self._compact(compaction.revision)
        except (Compacted, FutureRevision, StoreError) as error:
            _fail(compaction, error)
        else:
            if not compaction.answer.done():
                compaction.answer.set_result(None)

    async def _compact(self, revision: int) -> None:
        dropped = self._index.superseded(revision)
        await self._on_thread(lambda: self._file.compact(revision, dropped))
        self._index.compact(revision)

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _future() -> asyncio.Future[KeyValue | None]:
    return asyncio.get_running_loop().create_future()


def _fail(operation: _Write | _Compaction, error: BaseException) -> None:
    if not operation.answer.done():
        operation.answer.set_exception(error)
