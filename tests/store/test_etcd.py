"""What a real etcd adds: other writers, its death, its compaction, and what is there when it is opened again."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from support.etcd import Etcd, etcd

from kubelearn.store._etcd_api import EtcdApi
from kubelearn.store.etcd import EtcdStore
from kubelearn.store.interface import StoreError, StoreEvent


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Etcd]:
    with etcd(tmp_path) as made:
        yield made


@pytest.fixture
async def store(real: Etcd) -> AsyncIterator[EtcdStore]:
    made = EtcdStore([real.url])
    await made.open()
    yield made
    await made.close()


async def test_values_lie_in_etcd_as_kubernetes_puts_them(real: Etcd, store: EtcdStore) -> None:
    await store.put("/registry/pods/default/web", b'{"kind":"Pod"}', cause=b"why")
    api = EtcdApi([real.url])
    api.open()
    key = base64.b64encode(b"/registry/pods/default/web").decode()
    found = await api.call("kv/range", {"key": key})
    assert base64.b64decode(found["kvs"][0]["value"]) == b'{"kind":"Pod"}'
    await api.close()


async def test_two_stores_on_one_etcd_see_each_other(real: Etcd, store: EtcdStore) -> None:
    other = EtcdStore([real.url])
    await other.open()
    watch = store.watch("/", 0)
    made = await other.put("/a", b"1", expect=0, cause=b"theirs")

    async def first() -> StoreEvent:
        return await anext(aiter(watch))

    async with asyncio.timeout(5):
        event = await first()
    assert (event.kv, event.kv.cause) == (made, b"theirs")
    assert await store.get("/a") == made
    await other.close()


async def test_reopened_it_has_history_causes_and_compaction(real: Etcd, store: EtcdStore) -> None:
    for number in range(4):
        await store.put("/a", str(number).encode(), cause=b"c%d" % number)
    await store.delete("/a", cause=b"rm")
    await store.put("/b", b"1")
    await store.compact(3)
    again = EtcdStore([real.url])
    await again.open()
    assert (again.revision, again.compacted_revision) == (7, 3)
    assert [(e.type, e.revision, e.kv.cause) for e in await again.history("/a")] == [
        ("PUT", 4, b"c2"),
        ("PUT", 5, b"c3"),
        ("DELETE", 6, b"rm"),
    ]
    past = await again.get("/a", 3)
    assert past is not None
    assert past.value == b"1"
    await again.close()


async def test_it_goes_on_after_etcd_was_killed(real: Etcd, store: EtcdStore) -> None:
    before = await store.put("/a", b"1")
    real.kill()
    with pytest.raises(StoreError, match="does not answer"):
        await store.put("/a", b"2")
    assert await store.get("/a") == before, "reads go on"
    await asyncio.to_thread(real.start)
    after = await store.put("/a", b"3", expect=before.mod_revision)
    assert await store.get("/a") == after


async def test_an_etcd_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"etcd at http://127\.0\.0\.1:1 does not answer"):
        await EtcdStore(["http://127.0.0.1:1"]).open()
