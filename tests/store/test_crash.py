"""kill -9 under load, again and again: no answered write is lost, no revision is given twice, no watch has a gap.

`KUBELEARN_CRASH_ROUNDS=300 pytest tests/store/test_crash.py` for more of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path

import orjson
import pytest
from support.etcd import etcd

from kubelearn.store.etcd import EtcdStore
from kubelearn.store.interface import Store, StoreError, StoreEvent
from kubelearn.store.sqlite import SqliteStore

CHILD = Path(__file__).with_name("crash_child.py")
_MORE = int(os.environ.get("KUBELEARN_CRASH_ROUNDS", "0"))
SQLITE_ROUNDS, ETCD_ROUNDS = _MORE or 12, max(_MORE // 10, 3)
Note = tuple[int, str, str | None]

pytestmark = pytest.mark.timeout(300 + _MORE * 5)


class Ledger:
    """What was promised: the newest answered state of each key, and that no revision is another's."""

    def __init__(self) -> None:
        self.heads: dict[str, tuple[int, str | None]] = {}
        self.written: dict[int, tuple[str, str | None]] = {}

    def note(self, notes: list[Note]) -> None:
        for revision, key, value in notes:
            assert self.written.setdefault(revision, (key, value)) == (key, value), f"{revision} was given twice"
            if revision > self.heads.get(key, (0, None))[0]:
                self.heads[key] = revision, value

    async def check(self, store: Store) -> None:
        """The store has all of it, or something newer."""
        assert max(self.written, default=0) <= store.revision
        events = {event.kv.key: event for event in await store.history("/")}  # the last of each key
        for key, (revision, value) in self.heads.items():
            now = await store.get(key)
            if now is not None and now.mod_revision == revision:
                assert now.value.decode() == value
            elif value is not None or now is not None:
                last = events.get(key)
                assert last is not None, f"{key} at {revision} is lost"
                assert last.revision > revision, f"{key} at {revision} is lost"
        for event in events.values():
            wrote = self.written.get(event.revision)
            assert wrote in (None, (event.kv.key, _value(event))), "what is stored is what was answered"


def _value(event: StoreEvent) -> str | None:
    return event.kv.value.decode() if event.type == "PUT" else None


def without_gap(revisions: list[int], start: int) -> bool:
    return revisions == list(range(start, start + len(revisions)))


async def run_and_kill(database: Path, notes: Path, delay: float) -> int:
    """The revision that the child found when it opened the store."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(CHILD), str(database), str(notes), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    found = int(await asyncio.wait_for(child.stdout.readline(), 20))
    await asyncio.sleep(delay)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    assert child.returncode == -signal.SIGKILL
    child._transport.close()  # type: ignore[attr-defined]
    return found


def taken(path: Path) -> list[Note]:
    """The notes of a round; the last line may be cut off."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    path.unlink()
    return [(revision, key, value) for revision, key, value in map(orjson.loads, lines)]


async def test_kill_nine_of_the_process_over_sqlite(tmp_path: Path) -> None:
    database, chance, ledger = tmp_path / "state.db", random.Random(7), Ledger()
    before = 1
    for _ in range(SQLITE_ROUNDS):
        found = await run_and_kill(database, tmp_path, chance.uniform(0.0, 0.25))
        assert found == before, "opened again, it stands where it stood"
        watched = taken(tmp_path / "watched")
        ledger.note(watched)
        ledger.note(taken(tmp_path / "answered"))
        store = SqliteStore(database)
        await store.open()
        seen = [revision for revision, _, _ in watched]
        assert without_gap(seen, found + 1)
        rest = [event.revision for event in await store.history("/", found + len(seen) + 1)]
        assert without_gap(rest, found + len(seen) + 1), "who watches on from there misses nothing"
        await ledger.check(store)
        before = store.revision
        await store.close()
    assert len(ledger.written) > SQLITE_ROUNDS


async def test_kill_nine_of_etcd(tmp_path: Path) -> None:
    chance, ledger = random.Random(11), Ledger()
    with etcd(tmp_path) as real:
        store = EtcdStore([real.url])
        await store.open()
        watched: list[Note] = []
        stop = asyncio.Event()

        async def write(worker: int) -> None:
            count = 0
            while not stop.is_set():
                count += 1
                key, value = f"/w{worker}-{count % 5}", f"{worker}:{count}"
                with contextlib.suppress(StoreError):  # nobody knows what became of it
                    kv = await store.put(key, value.encode())
                    ledger.note([(kv.mod_revision, key, value)])

        async def watch() -> None:
            async for event in store.watch("/", 2):
                watched.append((event.revision, event.kv.key, _value(event)))

        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch())
            writers = [group.create_task(write(worker)) for worker in range(8)]
            for _ in range(ETCD_ROUNDS):
                before = len(ledger.written)
                async with asyncio.timeout(30):
                    while len(ledger.written) < before + 20:
                        await asyncio.sleep(0.01)
                await asyncio.sleep(chance.uniform(0.0, 0.2))
                real.kill()
                await asyncio.to_thread(real.start)
            stop.set()
            await asyncio.wait(writers)
            await store.put("/last", b"")
            async with asyncio.timeout(30):
                while not watched or watched[-1][1] != "/last":
                    await asyncio.sleep(0.01)
            watching.cancel()
        assert without_gap([revision for revision, _, _ in watched], 2)
        ledger.note(watched)
        again = EtcdStore([real.url])
        await again.open()
        for opened in (store, again):
            await ledger.check(opened)
            await opened.close()
