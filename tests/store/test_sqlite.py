"""What only the file-backed store can get wrong: damage, foreign files, a full disk, two owners."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from pathlib import Path

import pytest

from kubelearn.store.interface import StoreError
from kubelearn.store.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cluster" / "state.db"


async def filled(path: Path, count: int = 20) -> SqliteStore:
    store = SqliteStore(path)
    await store.open()
    await asyncio.gather(*(store.put(f"/{n}", b"x" * 3000, cause=b"c") for n in range(count)))
    return store


def edit(path: Path, script: str) -> None:
    db = sqlite3.connect(path)
    db.executescript(script)
    db.close()


async def test_everything_is_there_after_reopening(path: Path) -> None:
    store = await filled(path)
    await store.delete("/3", cause=b"rm")
    before = (await store.range("/"), await store.history("/"))
    await store.close()
    again = SqliteStore(path)
    await again.open()
    assert (await again.range("/"), await again.history("/")) == before
    await again.close()


async def test_a_compacted_deletion_does_not_bring_its_revision_back(path: Path) -> None:
    store = await filled(path, 1)
    await store.delete("/0")
    await store.compact(3)
    await store.close()
    again = SqliteStore(path)
    await again.open()
    assert (await again.put("/0", b"")).mod_revision == 4
    await again.close()


async def test_a_second_owner_is_refused(path: Path) -> None:
    store = await filled(path)
    with pytest.raises(StoreError, match="in use by another process"):
        await SqliteStore(path).open()
    await store.close()


async def test_a_full_disk_refuses_the_write_and_mends(path: Path) -> None:
    store = await filled(path)
    db = store._file._db
    assert db is not None
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match="is full: free some space"):
        await store.put("/big", b"y" * 1_000_000)
    assert await store.get("/big") is None
    assert len((await store.range("/")).items) == 20
    db.execute("PRAGMA max_page_count=1000000")
    assert (await store.put("/big", b"y" * 1_000_000)).mod_revision == 22
    await store.close()


async def test_another_fault_stops_all_later_writes(path: Path) -> None:
    store = await filled(path)
    db = store._file._db
    assert db is not None
    db.execute("DROP TABLE log")
    for _ in range(2):
        with pytest.raises(StoreError, match="no such table: log; restart the cluster"):
            await store.put("/a", b"")
    assert len((await store.range("/")).items) == 20
    await store.close()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("DELETE FROM log WHERE revision = 7", "damaged .revisions are missing"),
        ("UPDATE meta SET number = 7; UPDATE log SET value = NULL WHERE revision = 5", "damaged"),
        ("DELETE FROM meta", "damaged"),
        ("PRAGMA user_version=9", "format 9, this kubelearn reads format 1"),
        ("PRAGMA application_id=1", "not a kubelearn database"),
    ],
)
async def test_a_wrong_file_is_refused_with_the_next_step(path: Path, script: str, says: str) -> None:
    await (await filled(path)).close()
    edit(path, script)
    with pytest.raises(StoreError, match=says):
        await SqliteStore(path).open()


@pytest.mark.parametrize("offset", [0, 4096 * 3])
async def test_a_damaged_file_is_refused(path: Path, offset: int) -> None:
    await (await filled(path)).close()
    data = bytearray(path.read_bytes())
    data[offset : offset + 4096] = b"\xa5" * 4096
    path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        await SqliteStore(path).open()


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="check the folder"):
        await SqliteStore(tmp_path / "file" / "state.db").open()


async def test_the_loop_is_free_while_a_write_is_on_its_way(path: Path) -> None:
    store = await filled(path)
    waiting = [asyncio.ensure_future(store.put(f"/{n}", b"z")) for n in range(200)]
    turns = 0
    while not all(task.done() for task in waiting):
        await asyncio.sleep(0)
        turns += 1
    assert turns > 2
    await store.close()


def held_values(root: object) -> set[bytes]:
    """All bytes that can be reached from `root`."""
    found, seen, waiting = set(), set(), [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        if isinstance(one, bytes):
            found.add(one)
        waiting += gc.get_referents(one)
    return found


async def test_compaction_lets_go_of_what_was_before(path: Path) -> None:
    """A version that stays because its key is alive must not hold the one before it."""
    store = SqliteStore(path)
    await store.open()
    await store.put("/a", b"old")
    await store.put("/a", b"new")
    assert {b"old", b"new"} <= held_values(store._index)
    await store.compact(3)
    assert b"new" in held_values(store._index)
    assert b"old" not in held_values(store._index)
    await store.close()
