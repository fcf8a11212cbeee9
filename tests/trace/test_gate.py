"""The gate: what is held, in which order it leaves, and what never waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from kubelearn.kit.tasks import Tasks
from kubelearn.trace.gate import Gate, Pending
from kubelearn.trace.held import Stream


def pod(revision: int, resource: str = "pods") -> Pending:
    return Pending(revision, "ADDED", resource, "default", f"web-{revision}")


class Watcher:
    """A component's watches: notes what it is shown."""

    def __init__(self, gate: Gate, component: str = "kube-scheduler") -> None:
        self.gate, self.component = gate, component
        self.seen: list[int] = []

    async def one(self, pending: Pending) -> None:
        await self.gate.admit(self.component, pending)
        self.seen.append(pending.revision)

    async def stream(self, events: list[Pending], end: asyncio.Event) -> None:
        async def source() -> AsyncIterator[Pending]:
            for event in events:
                yield event
            await end.wait()

        async with contextlib.aclosing(Stream(self.gate, self.component, source(), lambda e: e)) as shown:
            async for event in shown:
                self.seen.append(event.revision)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    async with Tasks("test") as made:
        yield made


async def test_a_running_component_is_not_held() -> None:
    gate = Gate()
    await gate.admit("kubelet-a", pod(5))
    assert gate.components() == ["kubelet-a"]
    assert gate.shown_revision("kubelet-a") is None
    assert not gate.is_paused("kubelet-a")


async def test_pause_step_resume(tasks: Tasks) -> None:
    gate = Gate(head=lambda: 10)
    watcher = Watcher(gate)
    gate.pause("kube-scheduler")
    for revision in (13, 11, 12, 14):
        tasks.start(watcher.one(pod(revision)), str(revision))
    await settle()
    assert watcher.seen == []
    assert [p.revision for p in gate.waiting("kube-scheduler")] == [11, 12, 13, 14]
    assert gate.shown_revision("kube-scheduler") == 10
    assert gate.step("kube-scheduler") == 1
    await settle()
    assert watcher.seen == [11]
    assert gate.shown_revision("kube-scheduler") == 11
    assert gate.step("kube-scheduler", 2) == 2
    await settle()
    assert watcher.seen == [11, 12, 13]
    assert gate.delivered("kube-scheduler") == 3
    gate.resume("kube-scheduler")
    await settle()
    assert watcher.seen == [11, 12, 13, 14]
    assert gate.step("kube-scheduler") == 0


async def test_what_was_shown_before_the_pause_passes() -> None:
    gate = Gate(head=lambda: 10)
    gate.pause("kube-scheduler")
    async with asyncio.timeout(1):
        await gate.admit("kube-scheduler", pod(10))


async def test_leases_and_the_gate_itself_are_exempt() -> None:
    gate = Gate()
    gate.pause("*")
    async with asyncio.timeout(1):
        await gate.admit("node-lifecycle-controller", pod(3, "leases.coordination.k8s.io"))
        await gate.admit("anyone", pod(3, "gates.kubelearn.dev"))


async def test_streams_look_ahead_and_leave_in_revision_order(tasks: Tasks) -> None:
    gate, end = Gate(), asyncio.Event()
    watcher = Watcher(gate)
    gate.pause("kube-scheduler")
    tasks.start(watcher.stream([pod(1), pod(2), pod(5)], end), "pods")
    tasks.start(watcher.stream([pod(3, "nodes"), pod(4, "nodes")], end), "nodes")
    await settle()
    assert [p.revision for p in gate.waiting("kube-scheduler")] == [1, 2, 3, 4, 5]
    for expected in range(1, 6):
        assert gate.step("kube-scheduler") == 1
        await settle()
        assert watcher.seen == list(range(1, expected + 1))
    end.set()


async def test_one_revision_on_two_watches_is_one_step(tasks: Tasks) -> None:
    gate = Gate()
    watcher = Watcher(gate)
    gate.pause("kube-scheduler")
    for name in ("a", "b"):
        tasks.start(watcher.one(pod(7)), name)
    await settle()
    assert gate.step("kube-scheduler") == 1
    await settle()
    assert watcher.seen == [7, 7]


async def test_a_stream_ends_as_its_source_does() -> None:
    async def source() -> AsyncIterator[Pending]:
        yield pod(1)
        raise ConnectionError("compacted")

    stream = Stream(Gate(), "x", source(), lambda e: e)
    assert (await anext(stream)).revision == 1
    with pytest.raises(ConnectionError):
        await anext(stream)


async def test_a_closed_watch_takes_its_waiting_events_along(tasks: Tasks) -> None:
    gate = Gate()
    watcher = Watcher(gate)
    gate.pause("kube-scheduler")
    one = tasks.start(watcher.one(pod(1)), "one")
    many = tasks.start(watcher.stream([pod(2), pod(3)], asyncio.Event()), "many")
    await settle()
    assert len(gate.waiting("kube-scheduler")) == 3
    one.cancel()
    many.cancel()
    await settle()
    assert gate.waiting("kube-scheduler") == []


async def test_everyone(tasks: Tasks) -> None:
    gate = Gate()
    scheduler, kubelet = Watcher(gate), Watcher(gate, "kubelet-a")
    gate.register("kube-scheduler")
    gate.pause("*")
    assert gate.is_paused("kube-scheduler")
    tasks.start(kubelet.one(pod(2)), "new component")
    tasks.start(scheduler.one(pod(1)), "old component")
    await settle()
    assert gate.is_paused("kubelet-a")
    assert gate.step("*") == 1
    await settle()
    assert (scheduler.seen, kubelet.seen) == ([1], [])
    gate.resume("kubelet-a")
    await settle()
    assert kubelet.seen == [2]
    assert gate.is_paused("kube-scheduler")
    gate.resume("*")
    assert not any(gate.is_paused(name) for name in ("kube-scheduler", "new"))


async def test_changes_are_told_once_each() -> None:
    gate = Gate()
    gate.register("a")
    changes = gate.subscribe()
    assert await anext(changes) == "a"
    gate.pause("b")
    gate.resume("b")
    assert await anext(changes) == "b"
    gate.pause("a")
    assert await anext(changes) == "a"
    await changes.aclose()
    assert gate._subscribers == []


async def test_a_read_of_a_held_stream_that_is_cancelled_loses_nothing() -> None:
    gate = Gate()
    gate.pause("kube-scheduler")

    async def source() -> AsyncIterator[Pending]:
        for revision in (1, 2):
            yield pod(revision)

    async with contextlib.aclosing(Stream(gate, "kube-scheduler", source(), lambda e: e)) as events:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(events)
        assert gate.step("kube-scheduler", 2) == 2
        assert [event.revision async for event in events] == [1, 2]
