"""spans and gates over the API server's own front: what is recorded, chosen, held and stepped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver.auth import Authenticator, Authorizer, User
from kubelearn.apiserver.kubelearn_group import COLUMNS, GATES, SPANS
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.rest import Client
from kubelearn.client.transport import Request
from kubelearn.kit.tasks import Tasks
from kubelearn.store.memory import MemoryStore
from kubelearn.trace.cause import Acting, acting
from kubelearn.trace.gate import Gate, Pending

MAPS = Resource("", "v1", "ConfigMap", "configmaps", "configmap", True)
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", "namespace", False)
ADMIN = User("ann", ("system:masters", "system:authenticated"))
MERGE = "application/merge-patch+json"


@dataclass
class Plane:
    server: ApiServer
    client: Client

    async def get(self, path: str, query: list[tuple[str, str]], accept: str = "application/json") -> Obj:
        answer = await self.server.handle(Request("GET", path, query, {"accept": accept}), ADMIN)
        assert answer.status == 200, answer.body
        found: Obj = orjson.loads(answer.body)
        return found

    async def spans(self, fields: str = "", **query: Any) -> list[Obj]:
        items: list[Obj] = (await self.client.list(SPANS, field_selector=fields, **query))["items"]
        return items

    async def config_map(self, name: str, command: str = "") -> Obj:
        with acting(Acting(command=command)):
            return await self.client.create(MAPS, {"metadata": {"name": name}}, "default")


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    store = MemoryStore()
    await store.open()
    server = ApiServer(store, Gate(), authenticator=Authenticator({}, "key"), authorizer=Authorizer())
    await server.start()
    yield Plane(server, Client(server.local(ADMIN, "kubectl")))
    await server.close()
    await store.close()


def names(items: list[Obj]) -> list[str]:
    return [item["spec"]["object"]["name"] for item in items]


async def test_each_write_is_a_span_with_its_cause(plane: Plane) -> None:
    made = await plane.config_map("web", "kubectl create configmap web")
    (span,) = await plane.spans("object=configmaps/default/web")
    assert span["metadata"]["name"] == made["metadata"]["resourceVersion"]
    assert span["spec"]["command"] == "kubectl create configmap web"
    assert (span["spec"]["actor"], span["spec"]["type"]) == ("ann", "ADDED")
    assert await plane.client.get(SPANS, span["metadata"]["name"]) == span
    assert await plane.spans(f"trace={span['spec']['traceID']}") == [span]
    assert await plane.spans("trace=none") == []


async def test_lists_hold_the_newest_in_order_without_leases(plane: Plane) -> None:
    for name in "abc":
        await plane.config_map(name)
    lease = Resource("coordination.k8s.io", "v1", "Lease", "leases", "lease", True)
    await plane.client.create(lease, {"metadata": {"name": "beat"}, "spec": {}}, "default")
    assert names(await plane.spans(limit=2)) == ["b", "c"]
    assert "beat" not in names(await plane.spans())
    revision = (await plane.spans("object=configmaps/default/b"))[0]["spec"]["revision"]
    assert names(await plane.spans(f"since={revision}")) == ["b", "c"]
    listed = await plane.client.list(SPANS)
    assert listed["kind"] == "SpanList"
    assert listed["metadata"]["resourceVersion"] == str(plane.server.store.revision)


async def test_objects_without_namespace_go_by_either_spelling(plane: Plane) -> None:
    await plane.client.create(NAMESPACES, {"metadata": {"name": "shop"}})
    (span,) = await plane.spans("object=namespaces/shop")
    assert await plane.spans("object=namespaces//shop") == [span]


@pytest.mark.parametrize("fields", ["actor=ann", "object!=pods/a/b", "since=x", "object=web"])
async def test_what_cannot_be_chosen_is_refused(plane: Plane, fields: str) -> None:
    with pytest.raises(ApiError) as caught:
        await plane.spans(fields)
    assert caught.value.code == 400


@pytest.mark.parametrize("name", ["999999", "web"])
async def test_no_span_of_that_name(plane: Plane, name: str) -> None:
    with pytest.raises(ApiError, match=f'spans.kubelearn.dev "{name}" not found'):
        await plane.client.get(SPANS, name)


async def test_spans_are_watched_as_they_are_written(plane: Plane) -> None:
    before = str(plane.server.store.revision)
    await plane.config_map("early")
    async with contextlib.aclosing(plane.client.watch(SPANS, resource_version=before)) as events:
        async with asyncio.timeout(2):
            assert (await anext(events)).object["spec"]["object"]["name"] == "early"
            await plane.config_map("late")
            event = await anext(events)
    assert (event.type, event.object["spec"]["object"]["name"]) == ("ADDED", "late")


async def test_a_watch_of_forgotten_history_says_so(plane: Plane) -> None:
    await plane.config_map("web")
    await plane.server.store.compact(plane.server.store.revision)
    with pytest.raises(ApiError) as caught:
        async for _ in plane.client.watch(SPANS, resource_version="1"):
            pass
    assert caught.value.code == 410


async def test_a_watch_ends_at_its_time(plane: Plane) -> None:
    async with asyncio.timeout(5):
        assert [e async for e in plane.client.watch(SPANS, timeoutSeconds=1)] == []
    assert plane.server.store._watches == []  # type: ignore[attr-defined]


async def test_spans_print_as_a_table(plane: Plane) -> None:
    await plane.config_map("web")
    path = "/apis/kubelearn.dev/v1alpha1/spans"
    shown = await plane.get(path, [("limit", "1")], "application/json;as=Table;v=v1;g=meta.k8s.io")
    assert [c["name"] for c in shown["columnDefinitions"]][:5] == ["Revision", "Time", "Actor", "Object", "Summary"]
    revision, _time, actor, about, _ = shown["rows"][0]["cells"][:5]
    assert (revision, actor, about) == (plane.server.store.revision, "ann", "configmaps/default/web")
    assert len(shown["rows"][0]["cells"]) == len(COLUMNS["spans"])


async def test_only_reading_of_spans_is_served(plane: Plane) -> None:
    with pytest.raises(ApiError) as caught:
        await plane.client.delete(SPANS, "1")
    assert caught.value.code == 405


async def pause(plane: Plane, name: str, paused: bool = True) -> Obj:
    return await plane.client.patch(GATES, name, "", {"spec": {"paused": paused}}, MERGE)


def pod(revision: int) -> Pending:
    return Pending(revision, "ADDED", "pods", "default", f"web-{revision}")


async def test_a_gate_holds_shows_and_steps(plane: Plane) -> None:
    gate = plane.server.gate
    held = await pause(plane, "kube-scheduler")
    assert (held["kind"], held["spec"], held["status"]["waiting"]) == ("Gate", {"paused": True}, [])
    assert held["status"]["shownRevision"] == plane.server.store.revision
    async with Tasks("test") as tasks:
        for revision in (1001, 1002, 1003):
            tasks.start(gate.admit("kube-scheduler", pod(revision)), "admit")
        await asyncio.sleep(0)
        shown = await plane.client.get(GATES, "kube-scheduler")
        assert shown["status"]["waiting"][0] == {
            "revision": 1001, "type": "ADDED", "resource": "pods", "namespace": "default", "name": "web-1001",
        }  # fmt: skip
        stepped = await plane.client.create(GATES, {"count": 2}, name="kube-scheduler", subresource="step")
        assert (stepped["status"]["stepped"], stepped["status"]["delivered"]) == (2, 2)
        assert [w["revision"] for w in stepped["status"]["waiting"]] == [1003]
        table = "application/json;as=Table;v=v1;g=meta.k8s.io"
        printed = await plane.get("/apis/kubelearn.dev/v1alpha1/gates", [], table)
        assert printed["rows"][0]["cells"] == ["kube-scheduler", "true", 1, "pods/web-1003 ADDED (r1003)"]
    released = await pause(plane, "kube-scheduler", paused=False)
    assert released["spec"] == {"paused": False}
    assert "shownRevision" not in released["status"]


async def test_all_can_be_paused_at_once(plane: Plane) -> None:
    plane.server.gate.register("kube-scheduler")
    assert (await pause(plane, "*"))["spec"] == {"paused": True}
    items = (await plane.client.list(GATES))["items"]
    assert [(g["metadata"]["name"], g["spec"]["paused"]) for g in items] == [("kube-scheduler", True)]


async def test_gates_are_watched(plane: Plane) -> None:
    plane.server.gate.register("kube-scheduler")
    async with contextlib.aclosing(plane.client.watch(GATES)) as events, asyncio.timeout(2):
        first = await anext(events)
        await pause(plane, "kube-scheduler")
        second = await anext(events)
    assert (first.type, first.object["spec"]["paused"]) == ("ADDED", False)
    assert (second.type, second.object["spec"]["paused"]) == ("MODIFIED", True)


async def test_one_gate_is_chosen_by_name(plane: Plane) -> None:
    for name in ("a", "b"):
        plane.server.gate.register(name)
    items = (await plane.client.list(GATES, field_selector="metadata.name=b"))["items"]
    assert [g["metadata"]["name"] for g in items] == ["b"]


@pytest.mark.parametrize("body", [{"spec": {"paused": "yes"}}, {"spec": None}, {"spec": []}, []])
async def test_a_gate_is_paused_or_not(plane: Plane, body: Any) -> None:
    with pytest.raises(ApiError) as caught:
        await plane.client.patch(GATES, "new", "", orjson.dumps(body), MERGE)
    assert caught.value.code == 400
    assert plane.server.gate.components() == []


@pytest.mark.parametrize("count", [0, -1, "two", True, None])
async def test_steps_are_counted(plane: Plane, count: Any) -> None:
    plane.server.gate.register("a")
    with pytest.raises(ApiError) as caught:
        await plane.client.create(GATES, {"count": count}, name="a", subresource="step")
    assert caught.value.code == 400


async def test_an_unseen_gate_is_not_found(plane: Plane) -> None:
    for call in (plane.client.get(GATES, "x"), plane.client.create(GATES, {}, name="x", subresource="step")):
        with pytest.raises(ApiError) as caught:
            await call
        assert caught.value.code == 404
