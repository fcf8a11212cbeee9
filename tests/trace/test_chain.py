"""From a command to a ready pod and back: chains, summaries, recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from kubelearn.kit.errors import KubelearnError
from kubelearn.trace import recording
from kubelearn.trace.cause import Cause
from kubelearn.trace.chain import Span, Target, chain, effects, from_object, span_of, to_object
from kubelearn.trace.summary import summarize

Obj = dict[str, Any]


@dataclass(frozen=True)
class Value:
    key: str
    value: bytes
    mod_revision: int
    cause: bytes


@dataclass(frozen=True)
class Event:
    type: str
    kv: Value
    previous: Value | None


def parse_key(key: str) -> Target:
    resource, namespace, name = key.removeprefix("/registry/").split("/")
    return resource, namespace, name


class World:
    """Writes that become events, as the API server stores them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.now: dict[str, Value] = {}

    def write(
        self,
        key: str,
        obj: Obj | None,
        actor: str,
        parent: int = 0,
        trace: str = "t1",
        command: str = "",
        note: Mapping[str, Any] | None = None,
    ) -> int:
        revision = len(self.events) + 2
        cause = Cause(trace, f"s{revision}", parent, actor, "update", 1000.0 + revision, command, note or {})
        previous = self.now.get(key)
        if obj is None:
            assert previous is not None
            value = previous.value
        else:
            value = orjson.dumps(obj).replace(b'"metadata":{', b'"metadata":{\x00', 1)
        kv = Value(key, value, revision, cause.encode())
        self.events.append(Event("DELETE" if obj is None else "PUT", kv, previous))
        if obj is None:
            del self.now[key]
        else:
            self.now[key] = kv
        return revision

    def spans(self) -> list[Span]:
        return [span_of(event, parse_key) for event in self.events]


def pod(**status: Any) -> Obj:
    return {"kind": "Pod", "metadata": {"name": "web-1"}, "spec": {}, "status": status}


READY = [{"type": "Ready", "status": "True"}]
POD = "/registry/pods/default/web-1"
TARGET = ("pods", "default", "web-1")


@pytest.fixture
def world() -> World:
    made = World()
    deployment = {"kind": "Deployment", "metadata": {}, "spec": {"replicas": 1}}
    first = made.write("/registry/deployments.apps/default/web", deployment, "ada", command="create deployment web")
    second = made.write(
        "/registry/replicasets.apps/default/web-7",
        {"metadata": {}, "spec": {"replicas": 1}},
        "deployment-controller",
        first,
    )
    made.write("/registry/configmaps/default/other", {"metadata": {}}, "bob", trace="t2")
    third = made.write(POD, pod(phase="Pending"), "replicaset-controller", second)
    bound = pod(phase="Pending")
    bound["spec"]["nodeName"] = "worker-2"
    fourth = made.write(POD, bound, "kube-scheduler", third, note={"scheduler": {"chosen": "worker-2"}})
    running = {**bound, "status": {"phase": "Running", "conditions": READY}}
    made.write(POD, running, "kubelet-worker-2", fourth)
    made.write(POD, {**running, "status": {**running["status"], "podIP": "10.1.2.3"}}, "kubelet-worker-2", fourth)
    return made


def test_the_chain_goes_from_the_command_to_ready(world: World) -> None:
    found = chain(world.spans(), TARGET)
    assert [(s.cause.actor, s.type, s.summary) for s in found] == [
        ("ada", "ADDED", "created; replicas 1"),
        ("deployment-controller", "ADDED", "created; replicas 1"),
        ("replicaset-controller", "ADDED", "created"),
        ("kube-scheduler", "MODIFIED", "bound to worker-2"),
        ("kubelet-worker-2", "MODIFIED", "phase Pending → Running; Ready True"),
    ]
    assert found[0].cause.command == "create deployment web"
    assert [s.ready for s in found] == [False, False, False, False, True]


def test_a_later_command_continues_the_chain(world: World) -> None:
    scaled = world.write(
        "/registry/deployments.apps/default/web",
        {"kind": "Deployment", "metadata": {}, "spec": {"replicas": 0}},
        "ada",
        trace="t3",
        command="scale deployment web --replicas=0",
    )
    leaving = orjson.loads(world.now[POD].value.replace(b"\x00", b""))
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    world.write(POD, leaving, "replicaset-controller", scaled, trace="t3")
    gone = world.write(POD, None, "kubelet-worker-2", scaled, trace="t3")
    found = chain(world.spans(), TARGET)
    assert [s.summary for s in found[-3:]] == ["replicas 1 → 0", "deletionTimestamp set", "removed"]
    assert found[-1].revision == gone
    assert len(found) == 8


def test_a_new_object_of_the_name_starts_a_new_chain(world: World) -> None:
    world.write(POD, None, "ada")
    again = world.write(POD, pod(), "ada", command="run web-1", trace="t9")
    assert [s.revision for s in chain(world.spans(), TARGET)] == [again]


def test_what_followed_from_a_write(world: World) -> None:
    assert [s.revision for s in effects(world.spans(), 2)] == [2, 3, 5, 6, 7, 8]


def test_a_chain_ends_where_history_does(world: World) -> None:
    assert [s.revision for s in chain(world.spans()[2:], TARGET)] == [5, 6, 7]
    assert chain([], TARGET) == []


def test_spans_survive_being_objects(world: World) -> None:
    for span in world.spans():
        assert from_object(to_object(span)) == span
    obj = to_object(world.spans()[4])
    assert obj["metadata"]["name"] == "6"
    assert obj["spec"]["object"] == {"group": "", "resource": "pods", "namespace": "default", "name": "web-1"}
    assert obj["spec"]["note"] == {"scheduler": {"chosen": "worker-2"}}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (None, {"kind": "Event", "reason": "Scheduled", "message": "ok"}, "created; Scheduled: ok"),
        (pod(), None, "removed"),
        (pod(), pod(), "nothing changed"),
        (
            {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "w:1"}]}}}},
            {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "w:2"}]}}}},
            "image of a w:1 → w:2",
        ),
        (
            pod(containerStatuses=[{"name": "a", "restartCount": 0, "state": {"running": {}}}]),
            pod(
                containerStatuses=[
                    {"name": "a", "restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
                ]
            ),
            "container a waiting: CrashLoopBackOff; restarts 1",
        ),
        (
            {"status": {"replicas": 3, "readyReplicas": 1}},
            {"status": {"replicas": 3, "readyReplicas": 3}},
            "ready replicas 1 → 3",
        ),
        (
            {"spec": {}},
            {"spec": {"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]}},
            "taint node.kubernetes.io/unreachable:NoExecute added",
        ),
        (
            {"kind": "EndpointSlice", "endpoints": []},
            {"kind": "EndpointSlice", "endpoints": [{"conditions": {"ready": True}}]},
            "endpoints 0 → 1; ready endpoints 0 → 1",
        ),
        ({"data": {"a": "1"}}, {"data": {"a": "2", "b": ""}}, "data.a changed; data.b changed"),
        ({"metadata": {"labels": {"a": "1"}}}, {"metadata": {"labels": {}}}, "metadata.labels.a changed"),
    ],
)
def test_summaries(before: Obj | None, after: Obj | None, says: str) -> None:
    assert summarize(before, after) == says


async def test_a_recording_replays_without_a_cluster(world: World) -> None:
    entries = [recording.entry_of(event, parse_key) for event in world.events]
    lines = list(recording.write(entries, "demo", "0.1"))
    again = list(recording.read(lines))
    assert again == entries
    state = recording.state_at(again, 6)
    assert state[TARGET]["spec"] == {"nodeName": "worker-2"}
    assert state[TARGET]["metadata"]["resourceVersion"] == "6"
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    assert [e async for e in recording.replay(again, speed=2, sleep=sleep)] == entries
    assert slept == [0.5] * 6


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([b"{}\n"], "not a recording"),
        ([recording.header("", ""), b'{"span":{}'], "line 2 of the recording is damaged"),
        ([recording.header("", ""), b'{"span":{},"object":null}'], "line 2 of the recording is damaged: KeyError"),
    ],
)
def test_a_damaged_recording_says_where(lines: list[bytes], says: str) -> None:
    with pytest.raises(KubelearnError, match=says):
        list(recording.read(lines))
