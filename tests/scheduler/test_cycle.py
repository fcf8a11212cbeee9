"""The loop against a small API: list, watch, bind, patch; what it writes, and what it names as the cause."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest

from kubelearn.api.errors import ApiError
from kubelearn.client.event_series import SeriesRecorder
from kubelearn.client.rest import Client
from kubelearn.client.transport import Request, Response, WebSocket
from kubelearn.kit.tasks import Tasks
from kubelearn.scheduler.cycle import Scheduler
from kubelearn.trace.cause import Acting, from_headers

Obj = dict[str, Any]
PLURALS = (
    "pods",
    "nodes",
    "events",
    "poddisruptionbudgets",
    "persistentvolumeclaims",
    "persistentvolumes",
    "storageclasses",
)


class Api:
    """Pods, nodes and events in memory; every write is noted with its cause. `hold_pods` delays pod watch events."""

    def __init__(self) -> None:
        self.revision = 10
        self.objects: dict[str, dict[str, Obj]] = {plural: {} for plural in PLURALS}
        self.watchers: dict[str, list[asyncio.Queue[bytes]]] = {plural: [] for plural in PLURALS}
        self.writes: list[tuple[str, str, Acting]] = []
        self.refuse_bindings: list[ApiError] = []
        self.hold_pods = False
        self.lingering = True
        self.refuse_deletions: list[ApiError] = []
        self.held: list[bytes] = []

    def put(self, plural: str, obj: Obj) -> Obj:
        self.revision += 1
        name = obj["metadata"]["name"]
        event = "MODIFIED" if name in self.objects[plural] else "ADDED"
        obj = orjson.loads(orjson.dumps(obj))
        obj["metadata"]["resourceVersion"] = str(self.revision)
        self.objects[plural][name] = obj
        self.tell(plural, event, obj)
        return obj

    def remove(self, plural: str, name: str) -> None:
        self.revision += 1
        obj = self.objects[plural].pop(name)
        obj["metadata"]["resourceVersion"] = str(self.revision)
        self.tell(plural, "DELETED", obj)

    def tell(self, plural: str, event: str, obj: Obj) -> None:
        line = orjson.dumps({"type": event, "object": obj}) + b"\n"
        if plural == "pods" and self.hold_pods:
            self.held.append(line)
            return
        for watcher in self.watchers[plural]:
            watcher.put_nowait(line)

    def release(self) -> None:
        self.hold_pods = False
        for line in self.held:
            for watcher in self.watchers["pods"]:
                watcher.put_nowait(line)

    async def send(self, request: Request) -> Response:
        try:
            return await self.answer(request)
        except ApiError as error:
            return Response(error.code, {}, orjson.dumps(error.status()))

    async def answer(self, request: Request) -> Response:
        words = request.path.split("/")
        parts = words[next(number for number, word in enumerate(words) if word in PLURALS) :]
        plural = parts[0]
        if request.method == "GET" and request.param("watch"):
            queue: asyncio.Queue[bytes] = asyncio.Queue()
            self.watchers[plural].append(queue)
            return Response(200, {}, stream=self.stream(queue))
        await asyncio.sleep(0)
        if request.method == "GET":
            metadata = {"resourceVersion": str(self.revision)}
            items = list(self.objects[plural].values())
            return Response(200, {}, orjson.dumps({"kind": "List", "metadata": metadata, "items": items}))
        self.writes.append((request.method, "/".join(parts), from_headers(request.headers)))
        if request.method == "DELETE":
            if self.refuse_deletions:
                raise self.refuse_deletions.pop(0)
            self.leave(parts[1])
            return Response(200, {}, orjson.dumps({"kind": "Status", "status": "Success"}))
        return Response(201, {}, orjson.dumps(self.write(parts, orjson.loads(request.body))))

    @staticmethod
    async def stream(queue: asyncio.Queue[bytes]) -> AsyncIterator[bytes]:
        while True:
            yield await queue.get()

    def write(self, parts: list[str], body: Obj) -> Obj:
        if parts[0] == "events":
            return self.put("events", {**self.objects["events"][parts[1]], **body} if len(parts) > 1 else body)
        current: Obj = orjson.loads(orjson.dumps(self.objects["pods"][parts[1]]))
        if parts[2] == "binding":
            if self.refuse_bindings:
                raise self.refuse_bindings.pop(0)
            assert current["metadata"]["uid"] == body["metadata"]["uid"]
            assert not current["spec"].get("nodeName")
            current["spec"]["nodeName"] = body["target"]["name"]
            current["status"]["conditions"] = [{"type": "PodScheduled", "status": "True"}]
            current["status"].pop("nominatedNodeName", None)
        else:
            for name, value in body["status"].items():
                if value is None:
                    current["status"].pop(name, None)
                else:
                    current["status"][name] = value
        self.put("pods", current)
        return {"kind": "Status", "status": "Success"}

    def leave(self, name: str) -> None:
        """A deleted pod stays until its time is over, or goes at once if `lingering` is false."""
        if self.lingering:
            leaving = orjson.loads(orjson.dumps(self.objects["pods"][name]))
            leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:30Z"
            self.put("pods", leaving)
        else:
            self.remove("pods", name)

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        raise NotImplementedError

    async def close(self) -> None: ...

    # what the tests ask

    def node_of(self, name: str) -> str:
        found: str = self.objects["pods"][name]["spec"].get("nodeName", "")
        return found

    def condition(self, name: str) -> Obj:
        return next(iter(self.objects["pods"][name]["status"].get("conditions", [])), {})

    def said(self, reason: str) -> list[str]:
        return [e["message"] for e in self.objects["events"].values() if e["reason"] == reason]


def node(name: str, cpu: str = "2", **spec: Any) -> Obj:
    status = {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}}
    labels = {"kubernetes.io/hostname": name}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": status,
    }


def pod(name: str, cpu: str = "", **spec: Any) -> Obj:
    containers = [{"name": "c", "resources": {"requests": {"cpu": cpu} if cpu else {}}}]
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": containers, **spec},
        "status": {"phase": "Pending"},
    }


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    client = Client(made)
    scheduler = Scheduler(client, SeriesRecorder(client, "default-scheduler"))
    async with Tasks("test") as tasks:
        tasks.start(scheduler.run(), "scheduler")
        yield made


async def test_a_pod_is_bound_and_the_binding_says_why(api: Api) -> None:
    api.put("nodes", node("a"))
    api.put("nodes", node("b"))
    created = api.put("pods", pod("web"))
    await until(lambda: api.said("Scheduled"))
    chosen = api.node_of("web")
    assert api.said("Scheduled") == [f"Successfully assigned default/web to {chosen}"]
    method, path, why = api.writes[0]
    assert (method, path) == ("POST", "pods/web/binding")
    assert why.revision == int(created["metadata"]["resourceVersion"])
    verdicts = why.note["scheduler"]
    assert verdicts["chosen"] == chosen
    assert verdicts["nodes"].keys() == {"a", "b"}


async def test_without_a_node_the_pod_waits_for_one(api: Api) -> None:
    api.put("pods", pod("web"))
    await until(lambda: api.said("FailedScheduling"))
    assert api.said("FailedScheduling") == ["no nodes available to schedule pods"]
    condition = api.condition("web")
    assert condition["type"] == "PodScheduled"
    assert condition["status"] == "False"
    assert condition["reason"] == "Unschedulable"
    assert condition["lastTransitionTime"]
    came = api.put("nodes", node("a"))
    await until(lambda: api.node_of("web"))
    binding = next(why for _, path, why in api.writes if path == "pods/web/binding")
    assert binding.revision == int(came["metadata"]["resourceVersion"])


async def test_uncordoning_helps_and_heartbeats_do_not(api: Api) -> None:
    api.put("nodes", node("a", unschedulable=True))
    api.put("pods", pod("web"))
    await until(lambda: api.said("FailedScheduling"))
    assert re.match("0/1 nodes are available: 1 node.s. were unschedulable. no new", api.condition("web")["message"])
    beating = node("a", unschedulable=True)
    beating["status"]["conditions"] = [{"type": "Ready", "lastHeartbeatTime": "now"}]
    api.put("nodes", beating)
    await asyncio.sleep(0.02)
    assert len([w for w in api.writes if w[1].startswith("pods")]) == 1
    api.put("nodes", node("a"))
    await until(lambda: api.node_of("web") == "a")
    assert api.condition("web")["status"] == "True"


async def test_room_made_by_a_pod_that_leaves(api: Api) -> None:
    api.put("nodes", node("a", cpu="1"))
    api.put("pods", pod("first", cpu="800m"))
    await until(lambda: api.node_of("first"))
    api.put("pods", pod("second", cpu="800m"))
    await until(lambda: api.said("FailedScheduling"))
    assert "1 Insufficient cpu" in api.condition("second")["message"]
    done = orjson.loads(orjson.dumps(api.objects["pods"]["first"]))
    done["status"]["phase"] = "Succeeded"
    api.put("pods", done)
    await until(lambda: api.node_of("second") == "a")


async def test_placed_pods_count_before_they_are_seen(api: Api) -> None:
    """Four pods for room of two each: right although no binding comes back over the watch."""
    api.put("nodes", node("a", cpu="1"))
    api.put("nodes", node("b", cpu="1"))
    for number in range(5):
        api.put("pods", pod(f"p{number}", cpu="500m"))
    api.hold_pods = True
    await until(lambda: len(api.said("Scheduled")) == 4 and api.said("FailedScheduling"))
    placed = [api.node_of(f"p{number}") for number in range(5)]
    assert sorted(placed) == ["", "a", "a", "b", "b"]
    api.release()


async def test_a_refused_binding_frees_the_room_and_is_tried_again(api: Api) -> None:
    api.put("nodes", node("a", cpu="1"))
    api.refuse_bindings.append(ApiError(500, "InternalError", "no luck"))
    api.put("pods", pod("web", cpu="800m"))
    await until(lambda: api.said("FailedScheduling"))
    assert api.said("FailedScheduling") == ["binding rejected: no luck"]
    await until(lambda: api.node_of("web") == "a")


async def test_other_pods_are_left_alone(api: Api) -> None:
    api.put("nodes", node("a"))
    api.put("pods", pod("gated", schedulingGates=[{"name": "x/y"}]))
    api.put("pods", pod("foreign", schedulerName="mine"))
    leaving = pod("leaving")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    api.put("pods", leaving)
    api.put("pods", pod("web"))
    await until(lambda: api.node_of("web"))
    assert {path for _, path, _ in api.writes if path.startswith("pods")} == {"pods/web/binding"}
    api.put("pods", pod("gated"))
    await until(lambda: api.node_of("gated"))


async def test_a_deleted_pod_is_forgotten(api: Api) -> None:
    api.put("pods", pod("web"))
    await until(lambda: api.said("FailedScheduling"))
    api.remove("pods", "web")
    api.put("nodes", node("a"))
    await asyncio.sleep(0.02)
    assert not any(path.endswith("binding") for _, path, _ in api.writes)


async def test_many_pods(api: Api) -> None:
    for number in range(3):
        api.put("nodes", node(f"n{number}", cpu="64"))
    for number in range(100):
        api.put("pods", pod(f"p{number}", cpu="10m"))
    await until(lambda: all(api.node_of(f"p{number}") for number in range(100)))
    counts = [sum(api.node_of(f"p{number}") == f"n{k}" for number in range(100)) for k in range(3)]
    assert max(counts) - min(counts) <= 2


async def test_room_is_made_for_a_pod_of_higher_priority(api: Api) -> None:
    api.put("nodes", node("a", cpu="1"))
    api.put("pods", pod("low", cpu="800m"))
    await until(lambda: api.node_of("low"))
    created = api.put("pods", pod("urgent", cpu="800m", priority=1000))
    await until(lambda: api.said("Preempted"))
    assert api.said("Preempted") == ["Preempted by pod uid-urgent on node a"]
    assert api.objects["pods"]["urgent"]["status"]["nominatedNodeName"] == "a"
    assert api.condition("urgent")["message"] == "0/1 nodes are available: 1 Insufficient cpu."
    victim = api.condition("low")
    assert (victim["type"], victim["reason"]) == ("DisruptionTarget", "PreemptionByScheduler")
    assert victim["message"] == "default-scheduler: preempting to accommodate a higher priority pod"
    why = next(why for method, path, why in api.writes if (method, path) == ("DELETE", "pods/low"))
    assert why.revision == int(created["metadata"]["resourceVersion"])
    assert why.note["scheduler"]["preemption"] == {"node": "a", "victims": ["default/low"]}

    api.put("pods", pod("second", cpu="800m"))
    await until(lambda: "No preemption victims" in api.condition("second").get("message", ""))
    api.remove("pods", "low")
    await until(lambda: api.node_of("urgent") == "a")
    assert not api.node_of("second")


async def test_a_victim_that_goes_at_once(api: Api) -> None:
    api.lingering = False
    api.put("nodes", node("a", cpu="1"))
    for number in range(3):
        api.put("pods", pod(f"low{number}", cpu="300m"))
    await until(lambda: all(api.node_of(f"low{number}") for number in range(3)))
    api.put("pods", pod("urgent", cpu="900m", priority=1000))
    await until(lambda: api.node_of("urgent") == "a")
    assert len(api.said("Preempted")) == 3
    assert "nominatedNodeName" not in api.objects["pods"]["urgent"]["status"]


async def test_a_victim_that_cannot_be_removed_is_tried_again(api: Api) -> None:
    api.put("nodes", node("a", cpu="1"))
    api.put("pods", pod("low", cpu="800m"))
    await until(lambda: api.node_of("low"))
    api.refuse_deletions.append(ApiError(500, "InternalError", "no luck"))
    api.put("pods", pod("urgent", cpu="800m", priority=1000))
    await until(lambda: api.said("Preempted"))
    assert [path for method, path, _ in api.writes if method == "DELETE"] == ["pods/low"] * 2


async def test_a_pod_of_lower_priority_loses_its_nomination(api: Api) -> None:
    api.put("nodes", node("a", cpu="1"))
    api.put("pods", pod("low", cpu="800m"))
    await until(lambda: api.node_of("low"))
    api.put("pods", pod("middle", cpu="800m", priority=10))
    await until(lambda: api.objects["pods"]["middle"]["status"].get("nominatedNodeName") == "a")
    api.put("pods", pod("urgent", cpu="800m", priority=1000))
    await until(lambda: api.objects["pods"]["urgent"]["status"].get("nominatedNodeName") == "a")
    await until(lambda: "nominatedNodeName" not in api.objects["pods"]["middle"]["status"])
    api.remove("pods", "low")
    await until(lambda: api.node_of("urgent") == "a")
    assert not api.node_of("middle")
