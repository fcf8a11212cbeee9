"""The work queue: each key once, causes kept, delays and failures."""

from __future__ import annotations

import asyncio

import pytest

from kubelearn.client.workqueue import QueueClosed, WorkQueue
from kubelearn.trace.cause import Acting


async def test_a_key_is_handed_out_once_with_its_newest_cause() -> None:
    queue = WorkQueue()
    queue.add("a", Acting(revision=5))
    queue.add("a", Acting(revision=9))
    queue.add("a", Acting(revision=7))
    queue.add("a")
    assert len(queue) == 1
    assert await queue.get() == ("a", Acting(revision=9))


async def test_a_key_added_while_it_is_worked_on_comes_after() -> None:
    queue = WorkQueue()
    queue.add("a")
    await queue.get()
    queue.add("a", Acting(revision=3))
    assert len(queue) == 0
    queue.done("a")
    assert await queue.get() == ("a", Acting(revision=3))
    queue.done("a")
    assert queue.idle()


async def test_delays_keep_the_earliest() -> None:
    queue = WorkQueue()
    queue.add_after("a", 30)
    queue.add_after("a", 0.01, Acting(revision=1))
    queue.add_after("a", 60)
    async with asyncio.timeout(1):
        assert await queue.get() == ("a", Acting(revision=1))


async def test_failures_wait_longer_each_time_until_forgotten() -> None:
    queue = WorkQueue(base_delay=1, max_delay=5)
    delays = [queue.add_rate_limited("a") for _ in range(4)]
    assert delays == [1, 2, 4, 5]
    queue.forget("a")
    assert queue.add_rate_limited("a") == 1
    queue.close()


async def test_waiting_workers_each_get_a_key_and_are_told_of_the_end() -> None:
    queue = WorkQueue()
    workers = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    workers[0].cancel()
    await asyncio.sleep(0)
    queue.add("a")
    assert (await workers[1])[0] == "a"
    queue.close()
    with pytest.raises(QueueClosed):
        await workers[2]
    queue.add("b")
    assert len(queue) == 0


async def test_a_worker_that_is_cancelled_passes_its_turn_on() -> None:
    queue = WorkQueue()
    first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    first.cancel()
    async with asyncio.timeout(1):
        assert (await second)[0] == "a"
