"""The conformance suite of the store: every backend, the same semantics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from support.etcd import etcd

from kubelearn.store.etcd import EtcdStore
from kubelearn.store.interface import (
    Compacted,
    Conflict,
    FutureRevision,
    Store,
    StoreError,
    StoreEvent,
    Watch,
)
from kubelearn.store.memory import MemoryStore
from kubelearn.store.sqlite import SqliteStore

MakeStore = Callable[[int], Store]


@pytest.fixture(params=["memory", "sqlite", "etcd"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    if request.param == "etcd":
        with etcd(tmp_path) as real:
            yield lambda history: EtcdStore([real.url], history)
    elif request.param == "sqlite":
        yield lambda history: SqliteStore(tmp_path / "state.db", history)
    else:
        yield MemoryStore


@pytest.fixture
async def store(make_store: MakeStore) -> AsyncIterator[Store]:
    made = make_store(10_000)
    await made.open()
    yield made
    await made.close()


async def take(watch: Watch, count: int) -> list[StoreEvent]:
    found: list[StoreEvent] = []
    async with asyncio.timeout(5):
        async for event in watch:
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_an_empty_store_stands_at_revision_one(store: Store) -> None:
    assert store.revision == 1
    assert store.compacted_revision == 0
    assert await store.get("/a") is None
    assert (await store.range("/")).items == []


async def test_each_write_takes_the_next_revision(store: Store) -> None:
    first = await store.put("/a", b"1", cause=b"why")
    second = await store.put("/a", b"2")
    assert (first.create_revision, first.mod_revision, first.cause) == (2, 2, b"why")
    assert (second.create_revision, second.mod_revision, second.cause) == (2, 3, b"")
    assert await store.get("/a") == second
    assert await store.get("/a", 2) == first
    assert store.revision == 3


async def test_deletion_is_a_revision_and_creation_starts_over(store: Store) -> None:
    await store.put("/a", b"1")
    gone = await store.delete("/a", cause=b"rm")
    assert gone is not None
    assert (gone.value, gone.create_revision, gone.mod_revision, gone.cause) == (b"1", 2, 3, b"rm")
    assert await store.get("/a") is None
    assert await store.delete("/a") is None
    assert store.revision == 3
    again = await store.put("/a", b"2")
    assert (again.create_revision, again.mod_revision) == (4, 4)
    old = await store.get("/a", 2)
    assert old is not None
    assert old.value == b"1"
    assert await store.get("/a", 3) is None


async def test_compare_and_swap(store: Store) -> None:
    made = await store.put("/a", b"1", expect=0)
    with pytest.raises(Conflict) as exists:
        await store.put("/a", b"2", expect=0)
    assert exists.value.current == made
    with pytest.raises(Conflict) as absent:
        await store.put("/b", b"2", expect=7)
    assert absent.value.current is None
    newer = await store.put("/a", b"2", expect=made.mod_revision)
    with pytest.raises(Conflict):
        await store.delete("/a", expect=made.mod_revision)
    with pytest.raises(Conflict):
        await store.delete("/b", expect=made.mod_revision)
    assert await store.delete("/a", expect=newer.mod_revision) is not None
    assert store.revision == 4


async def test_ranges_page_in_byte_order(store: Store) -> None:
    for name in ("b", "a/2", "a/1", "a-", "ä", "a/3"):
        await store.put("/" + name, name.encode())
    whole = await store.range("/")
    assert [kv.key for kv in whole.items] == ["/a-", "/a/1", "/a/2", "/a/3", "/b", "/ä"]
    page = await store.range("/a/", limit=2)
    assert ([kv.key for kv in page.items], page.remaining) == (["/a/1", "/a/2"], 1)
    rest = await store.range("/a/", after="/a/2", limit=2, revision=page.revision)
    assert ([kv.key for kv in rest.items], rest.remaining) == (["/a/3"], 0)


async def test_ranges_at_an_old_revision(store: Store) -> None:
    await store.put("/a", b"1")
    await store.put("/b", b"1")
    await store.put("/a", b"2")
    await store.delete("/b")
    past = await store.range("/", revision=3)
    assert [(kv.key, kv.value) for kv in past.items] == [("/a", b"1"), ("/b", b"1")]
    assert past.revision == 3
    assert [kv.key for kv in (await store.range("/", revision=3, limit=1)).items] == ["/a"]
    assert (await store.range("/", revision=3, limit=1)).remaining == 1
    assert [kv.value for kv in (await store.range("/")).items] == [b"2"]
    with pytest.raises(FutureRevision) as ahead:
        await store.range("/", revision=99)
    assert ahead.value.current == 5


async def test_watch_replays_and_follows_in_order(store: Store) -> None:
    await store.put("/a/1", b"1")
    await store.put("/b", b"1")
    watch = store.watch("/a/", 2)
    await store.put("/a/1", b"2", cause=b"c")
    await store.delete("/a/1", cause=b"d")
    events = await take(watch, 3)
    assert [(e.type, e.revision, e.kv.value) for e in events] == [
        ("PUT", 2, b"1"),
        ("PUT", 4, b"2"),
        ("DELETE", 5, b"2"),
    ]
    assert events[0].previous is None
    assert events[1].previous == events[0].kv
    assert events[2].previous == events[1].kv
    assert events[2].kv.cause == b"d"
    watch.cancel()


async def test_watch_from_now_and_from_the_future(store: Store) -> None:
    await store.put("/a", b"1")
    now, later = store.watch("/", 0), store.watch("/", 4)
    await store.put("/a", b"2")
    await store.put("/a", b"3")
    assert [e.revision for e in await take(now, 2)] == [3, 4]
    assert [e.revision for e in await take(later, 1)] == [4]


async def test_cancelling_a_watch_ends_its_iteration(store: Store) -> None:
    watch = store.watch("/", 0)
    waiting = asyncio.get_running_loop().create_task(take(watch, 1))
    await asyncio.sleep(0)
    watch.cancel()
    assert await waiting == []


async def test_concurrent_writes_reach_a_watch_without_gaps(store: Store) -> None:
    watch = store.watch("/", 2)
    await asyncio.gather(*(store.put(f"/{n % 7}", str(n).encode()) for n in range(300)))
    assert [e.revision for e in await take(watch, 300)] == list(range(2, 302))


async def test_concurrent_creations_have_one_winner(store: Store) -> None:
    answers = await asyncio.gather(
        *(store.put("/a", str(n).encode(), expect=0) for n in range(20)), return_exceptions=True
    )
    assert sum(not isinstance(a, Conflict) for a in answers) == 1
    assert store.revision == 2


async def test_compaction_keeps_the_present_and_forgets_the_past(store: Store) -> None:
    await store.put("/a", b"1")  # 2
    await store.put("/b", b"1")  # 3
    await store.put("/a", b"2")  # 4
    await store.delete("/b")  # 5
    await store.put("/c", b"1")  # 6
    await store.compact(4)
    assert store.compacted_revision == 4
    with pytest.raises(Compacted) as gone:
        await store.get("/a", 3)
    assert gone.value.oldest == 4
    assert [kv.key for kv in (await store.range("/", revision=4)).items] == ["/a", "/b"]
    with pytest.raises(Compacted):
        store.watch("/", 4)
    assert [e.type for e in await take(store.watch("/", 5), 2)] == ["DELETE", "PUT"]
    assert [e.revision for e in await store.history("/")] == [5, 6]
    with pytest.raises(Compacted):
        await store.compact(4)
    with pytest.raises(FutureRevision):
        await store.compact(7)
    await store.compact(6)
    assert [kv.key for kv in (await store.range("/")).items] == ["/a", "/c"]


async def test_a_watch_that_fell_behind_learns_it(store: Store) -> None:
    slow, idle = store.watch("/a", 2), store.watch("/none", 2)
    for n in range(5):
        await store.put("/a", str(n).encode())
    await store.compact(4)
    with pytest.raises(Compacted) as behind:
        await take(slow, 1)
    assert behind.value.oldest == 5
    await store.put("/none", b"1")
    assert [e.revision for e in await take(idle, 1)] == [7]


async def test_history_is_kept_to_its_length(make_store: MakeStore) -> None:
    store = make_store(50)
    await store.open()
    for n in range(200):
        await store.put(f"/{n % 3}", str(n).encode())
    kept = store.revision - store.compacted_revision
    assert 50 <= kept <= 60
    assert len(await store.history("/")) == kept
    assert len((await store.range("/")).items) == 3
    await store.close()


async def test_history_filters_and_limits(store: Store) -> None:
    for n in range(4):
        await store.put(f"/{'ab'[n % 2]}", b"")
    assert [e.revision for e in await store.history("/a")] == [2, 4]
    assert [e.revision for e in await store.history("/", 3, 2)] == [3, 4]


async def test_closing_ends_watches_and_refuses_writes(make_store: MakeStore) -> None:
    store = make_store(100)
    await store.open()
    watch = store.watch("/", 0)
    write = asyncio.gather(store.put("/a", b"1"))
    await asyncio.sleep(0)
    await store.close()
    assert [kv.mod_revision for kv in await write] == [2]
    assert len(await take(watch, 2)) <= 1
    with pytest.raises(StoreError, match="closed"):
        await store.put("/a", b"2")
