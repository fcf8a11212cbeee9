"""The queue of pods without a node, on a clock of its own."""

from __future__ import annotations

from typing import Any

import pytest

from kubelearn.scheduler.framework import PodInfo
from kubelearn.scheduler.queue import PodQueue


def pod(name: str, revision: int = 1, priority: int = 0, **spec: Any) -> PodInfo:
    metadata = {"name": name, "namespace": "default", "uid": name, "resourceVersion": str(revision)}
    return PodInfo.of({"metadata": metadata, "spec": {"priority": priority, **spec}})


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def queue(time: Time) -> PodQueue:
    return PodQueue(time)


def popped(queue: PodQueue) -> list[str]:
    found = []
    while (entry := queue.pop()) is not None:
        found.append(entry.pod.name)
    return found


def test_by_priority_then_age(queue: PodQueue) -> None:
    for name, priority in (("a", 0), ("b", 10), ("c", 0)):
        queue.put(pod(name, priority=priority))
    queue.put(pod("gone"))
    queue.remove("gone")
    assert popped(queue) == ["b", "a", "c"]
    assert len(queue) == 3


def test_a_rejected_pod_waits_for_a_change_that_helps(queue: PodQueue, time: Time) -> None:
    queue.put(pod("a"))
    entry = queue.pop()
    assert entry is not None
    assert entry.cause == 1
    queue.reject(entry, frozenset({"X"}))
    queue.moved(7, lambda e: "Y" in e.rejected_by)
    assert queue.pop() is None
    queue.moved(8, lambda e: "X" in e.rejected_by)
    assert queue.pop() is entry
    assert entry.cause == 8
    assert entry.attempts == 2


def test_a_rejected_pod_looks_again_after_five_minutes(queue: PodQueue, time: Time) -> None:
    queue.put(pod("a"))
    entry = queue.pop()
    assert entry is not None
    queue.reject(entry, frozenset())
    assert queue.next_due() == 400
    time.now = 401
    assert queue.pop() is entry


def test_back_off_is_for_when_others_wait(queue: PodQueue, time: Time) -> None:
    queue.put(pod("a"))
    entry = queue.pop()
    assert entry is not None
    queue.reject(entry, frozenset({"X"}))
    queue.put(pod("b"))
    queue.moved(2, lambda _: True)
    assert popped(queue) == ["b", "a"]


def test_after_a_fault_the_back_off_holds_and_doubles(queue: PodQueue, time: Time) -> None:
    queue.put(pod("a"))
    for seconds in (1, 2, 4, 8, 10, 10):
        entry = queue.pop()
        assert entry is not None
        queue.retry(entry)
        assert queue.next_due() == time.now + seconds
        time.now += seconds - 0.1
        assert queue.pop() is None
        time.now += 0.1


def test_only_what_the_pod_asks_for_makes_it_ready_again(queue: PodQueue) -> None:
    queue.put(pod("a"))
    entry = queue.pop()
    assert entry is not None
    queue.reject(entry, frozenset())
    queue.put(pod("a", revision=5))
    assert queue.pop() is None
    queue.put(pod("a", revision=6, tolerations=[{"operator": "Exists"}]))
    assert queue.pop() is entry
    assert entry.cause == 6
    assert entry.pod.revision == 6


def test_a_pod_that_left_is_not_put_back(queue: PodQueue) -> None:
    queue.put(pod("a"))
    entry = queue.pop()
    assert entry is not None
    queue.remove("a")
    queue.reject(entry, frozenset())
    queue.retry(entry)
    assert "a" not in queue
    assert queue.next_due() is None


def test_while_room_is_made_a_pod_is_held(queue: PodQueue, time: Time) -> None:
    queue.put(pod("a"))
    entry = queue.pop()
    assert entry is not None
    queue.reject(entry, frozenset({"NodeResourcesFit"}))
    queue.hold(entry)
    time.now += 1000
    queue.moved(7, lambda _: True)
    queue.put(pod("a", revision=8, nodeSelector={"x": "y"}))
    assert popped(queue) == []
    queue.let_go(entry)
    queue.moved(9, lambda _: True)
    assert popped(queue) == ["a"]
    assert entry.cause == 9
