"""Each kind of check against a real API server: passed, failed, and what it then says was seen and wanted."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import NS, Api, configmap, pod

from kubelearn.api.resource import Obj
from kubelearn.client.discovery import discover
from kubelearn.client.rest import Client
from kubelearn.client.transport import Request, Response, Transport, WebSocket
from kubelearn.kit.discover import load
from kubelearn.lessons.check_type import CheckContext, CheckType, Result, compare, read_path


async def run(context: CheckContext, check_type: str, /, **params: Any) -> Result:
    check = load("kubelearn.lessons.checks", check_type, "CHECK", CheckType)
    assert check.problems(params) == []
    return await check.run(context, params)


class TestCompare:
    @pytest.mark.parametrize(
        ("value", "params", "passed"),
        [
            ("500m", {"equals": 0.5}, True),
            ("0.5", {"equals": "500m"}, True),
            ("1Gi", {"equals": "1024Mi"}, True),
            ("1G", {"equals": "1Gi"}, False),
            ("3", {"equals": 3}, True),
            ("true", {"equals": True}, True),
            ("Running", {"equals": "running"}, False),
            (None, {"equals": ""}, False),
            ("web-1", {"matches": "^web-[0-9]$"}, True),
            (None, {"matches": ""}, False),
            ("250m", {"at_least": "0.25"}, True),
            ("249m", {"at_least": "0.25"}, False),
            ("many", {"at_least": 1}, False),
            (None, {"at_least": 0}, False),
            ("2", {"at_most": 2}, True),
            ("2001m", {"at_most": 2}, False),
            ("", {"at_most": 2}, False),
            (None, {"absent": True}, True),
            ("", {"absent": True}, True),
            ("x", {"absent": True}, False),
            ("x", {}, True),
            (None, {}, False),
        ],
    )
    def test_values_compare_as_kubernetes_compares_them(
        self, value: str | None, params: dict[str, Any], passed: bool
    ) -> None:
        assert compare(value, params)[0] is passed

    @pytest.mark.parametrize(
        ("obj", "path", "value"),
        [
            ({"spec": {"paused": False}}, ".spec.paused", "false"),
            ({"spec": {"taints": []}}, ".spec.taints", None),
            ({"spec": {}}, ".spec.ports[0].port", None),
            ({"spec": {"ports": []}}, ".spec.ports[0].port", None),
            ({"spec": {"ports": [{"port": 80}, {"port": 81}]}}, ".spec.ports[*].port", "80 81"),
            ({"labels": {"app": "web"}}, ".labels", '{"app": "web"}'),
        ],
    )
    def test_a_path_s_value_is_read_as_text(self, obj: Obj, path: str, value: str | None) -> None:
        assert read_path(obj, path) == value


class TestResource:
    async def test_a_field_is_as_wanted(self, api: Api, context: CheckContext) -> None:
        await api.ok("POST", f"{NS}/configmaps", configmap("c", cpu="500m"))
        assert await run(context, "resource", kind="cm", name="c", path=".data.cpu", equals=0.5) == Result(
            True, "cm c .data.cpu = 500m", "0.5"
        )
        found = await run(context, "resource", kind="configmap", name="c", path=".data.cpu", at_least=1)
        assert found.message == "seen configmap c .data.cpu = 500m, wanted at least 1"
        assert not found.passed
        found = await run(context, "resource", kind="configmap", name="c", path=".data.memory", matches="Gi$")
        assert found == Result(False, "configmap c .data.memory = nothing", "something like Gi$")

    async def test_an_object_is_there_or_not(self, api: Api, context: CheckContext) -> None:
        gone = await run(context, "resource", kind="configmap", name="c", absent=True)
        assert gone == Result(True, "no configmap c", "no configmap c")
        missing = await run(context, "resource", kind="configmap", name="c")
        assert missing == Result(False, "no configmap c", "configmap c")
        await api.ok("POST", f"{NS}/configmaps", configmap("c"))
        there = await run(context, "resource", kind="configmap", name="c", absent=True)
        assert there == Result(False, "configmap c", "no configmap c")
        assert (await run(context, "resource", kind="configmap", name="c")).passed

    async def test_a_missing_object_lacks_no_field(self, context: CheckContext) -> None:
        """`absent` of a field is about an object that is there."""
        found = await run(context, "resource", kind="configmap", name="c", path=".data.a", absent=True)
        assert found == Result(False, "no configmap c", "configmap c")

    async def test_another_namespace(self, api: Api, context: CheckContext) -> None:
        await api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "far"}})
        await api.ok("POST", "/api/v1/namespaces/far/configmaps", configmap("c", a="1"))
        assert (await run(context, "resource", kind="configmap", name="c", namespace="far")).passed
        assert not (await run(context, "resource", kind="configmap", name="c")).passed


class TestCount:
    async def test_objects_by_label_and_field(self, api: Api, context: CheckContext) -> None:
        for name, app, colour in (
            ("a", "web", "blue"),
            ("b", "web", "blue"),
            ("c", "web", "green"),
            ("d", "db", "blue"),
        ):
            await api.ok("POST", f"{NS}/configmaps", configmap(name, {"app": app}, colour=colour))
        assert await run(context, "count", kind="configmaps", selector="app=web", equals=3) == Result(
            True, "3 configmaps", "3 configmaps"
        )
        found = await run(
            context, "count", kind="configmaps", selector="app=web", path=".data.colour", value="bl.*", at_least=3
        )
        assert found == Result(
            False, "2 configmaps with .data.colour bl.*", "at least 3 configmaps with .data.colour bl.*"
        )
        found = await run(context, "count", kind="configmaps", path=".data.colour", distinct=True, at_most=1)
        assert not found.passed
        assert "different .data.colour among configmaps" in found.seen

    async def test_what_is_terminating_does_not_count(self, api: Api, context: CheckContext) -> None:
        held = configmap("c")
        held["metadata"]["finalizers"] = ["example.com/held"]
        await api.ok("POST", f"{NS}/configmaps", held)
        assert (await run(context, "count", kind="configmaps", fields="metadata.name=c", equals=1)).passed
        await api.ok("DELETE", f"{NS}/configmaps/c")
        assert await run(context, "count", kind="configmaps", fields="metadata.name=c", equals=1) == Result(
            False, "0 configmaps", "1 configmaps"
        )


class TestCondition:
    async def test_its_status_and_reason(self, api: Api, context: CheckContext) -> None:
        missing = await run(context, "condition", kind="node", name="worker-9", type="Ready")
        assert missing == Result(False, "no node worker-9", "Ready True")
        none = await run(context, "condition", kind="node", name="worker-1", type="Ready")
        assert none == Result(False, "node worker-1 has no condition Ready", "Ready True")
        condition = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
        await api.patch("/api/v1/nodes/worker-1/status", {"status": {"conditions": [condition]}})
        found = await run(context, "condition", kind="node", name="worker-1", type="Ready", status="Unknown|False")
        assert found == Result(True, "node worker-1: Ready Unknown (NodeStatusUnknown)", "Ready Unknown or False")
        assert not (await run(context, "condition", kind="node", name="worker-1", type="Ready", status=True)).passed


def event(name: str, reason: str, message: str, about: str = "web") -> Obj:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": about, "namespace": "default"},
        "reason": reason,
        "message": message,
        "type": "Normal",
    }


class TestEvent:
    async def test_reason_object_and_message(self, api: Api, context: CheckContext) -> None:
        nothing = await run(context, "event", reason="Scheduled", kind="Pod", name="web.*")
        assert nothing == Result(False, "no such event", "an event Scheduled of Pod web.*")
        await api.ok("POST", f"{NS}/events", event("e1", "Pulled", "image is there"))
        await api.ok("POST", f"{NS}/events", event("e2", "Scheduled", "assigned default/db to worker-1", "db"))
        other = await run(context, "event", reason="Scheduled", kind="Pod", name="web.*")
        assert other == Result(False, "only Pulled", "an event Scheduled of Pod web.*")
        await api.ok("POST", f"{NS}/events", event("e3", "Scheduled", "assigned default/web to worker-1"))
        found = await run(context, "event", reason="Scheduled", kind="Pod", name="web.*", message="worker-1")
        assert found.passed
        assert found.seen == "Scheduled: assigned default/web to worker-1"
        far = await run(context, "event", reason="Scheduled", kind="Pod", name="web", message="worker-2")
        assert far == Result(False, "only Pulled, Scheduled", "an event Scheduled of Pod web that says worker-2")

    async def test_what_was_written_before_the_step_does_not_count(self, api: Api, context: CheckContext) -> None:
        await api.ok("POST", f"{NS}/events", event("e1", "Killing", "stopping container"))
        listed = await api.ok("GET", f"{NS}/events")
        context.since = int(listed["metadata"]["resourceVersion"])
        assert not (await run(context, "event", reason="Killing")).passed
        await api.ok("POST", f"{NS}/events", event("e2", "Killing", "stopping another"))
        assert (await run(context, "event", reason="Killing")).seen == "Killing: stopping another"


class Answering:
    """A transport that answers requests to a proxy with prepared texts, and hands everything else on."""

    def __init__(self, inner: Transport, *answers: tuple[int, str]) -> None:
        self.inner, self.answers = inner, list(answers)
        self.asked: list[str] = []

    async def send(self, request: Request) -> Response:
        if "/proxy" not in request.path:
            return await self.inner.send(request)
        self.asked.append(request.path + "".join(f"?{k}={v}" for k, v in request.query))
        status, text = self.answers.pop(0)
        return Response(status, {"content-type": "text/plain"}, text.encode())

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        raise AssertionError("no check opens one")

    async def close(self) -> None:
        """Nothing is held open."""


class TestHttp:
    async def answering(self, client: Client, *answers: tuple[int, str]) -> tuple[CheckContext, Answering]:
        transport = Answering(client.transport, *answers)
        return CheckContext(Client(transport), await discover(client)), transport

    async def test_a_pod_asks_for_the_url(self, client: Client) -> None:
        context, transport = await self.answering(client, (200, "Hello from web v1\npod web-1\n"))
        found = await run(context, "http", url="http://web/", body="Hello from web", **{"from": "client"})
        assert found.passed
        assert transport.asked == ["/api/v1/namespaces/default/pods/client:8080/proxy/fetch?url=http://web/"]

    async def test_the_api_server_s_proxy_asks_without_a_pod(self, client: Client) -> None:
        context, transport = await self.answering(client, (200, "ok"))
        assert (await run(context, "http", url="services/web:80/healthz")).passed
        assert transport.asked == ["/api/v1/namespaces/default/services/web:80/proxy/healthz"]

    async def test_another_status_or_text_is_seen(self, client: Client) -> None:
        context, _ = await self.answering(client, (502, "no endpoints\nat all"), (200, "\nBye\n"), (200, ""))
        assert await run(context, "http", url="services/web/", body="Hello") == Result(
            False, "HTTP 502: no endpoints", "HTTP 200, Hello"
        )
        assert (await run(context, "http", url="services/web/", body="Hello")).seen == "HTTP 200: Bye"
        assert (await run(context, "http", url="services/web/", body="Hello")).seen == "HTTP 200: nothing"

    async def test_a_wanted_failure_passes(self, client: Client) -> None:
        context, _ = await self.answering(client, (502, "connection refused"))
        assert (await run(context, "http", url="http://web/", status=502, **{"from": "client"})).passed

    async def test_answers_must_come_from_different_pods(self, client: Client) -> None:
        answers = [(200, f"pod web-{n}") for n in (1, 1, 2, 1, 1, 1)]
        context, _ = await self.answering(client, *answers)
        assert (await run(context, "http", url="services/web/", times=3, distinct=2)).passed
        assert await run(context, "http", url="services/web/", times=3, distinct=2) == Result(
            False, "1 pods answered", "2 pods answering"
        )

    async def test_a_pod_that_is_not_there_is_no_crash(self, context: CheckContext) -> None:
        found = await run(context, "http", url="http://web/", **{"from": "client"})
        assert not found.passed
        assert found.seen.startswith("HTTP 404: ")


async def test_a_used_command_is_found_by_pattern(context: CheckContext) -> None:
    pattern = {"matches": r"\bget\b.*-o wide", "example": "kubectl get pods -o wide"}
    assert await run(context, "command_used", **pattern) == Result(False, "no command yet", "kubectl get pods -o wide")
    context.commands.append("k get po")
    assert (await run(context, "command_used", **pattern)).seen == "last: k get po"
    context.commands += ["k get po -o wide", "k logs x"]
    assert await run(context, "command_used", **pattern) == Result(True, "k get po -o wide", "kubectl get pods -o wide")


async def test_a_quiz_wants_the_right_answer(context: CheckContext) -> None:
    assert await run(context, "quiz", question="q", answer=2) == Result(False, "no answer yet", "the right answer")
    context.answers["q"] = "1"
    assert await run(context, "quiz", question="q", answer=2) == Result(False, "answer 1", "the right answer")
    context.answers["q"] = "2"
    assert (await run(context, "quiz", question="q", answer=2)).passed


async def test_a_pod_of_the_api_can_be_checked(api: Api, context: CheckContext) -> None:
    """The kind may be written as kubectl takes it."""
    await api.account()
    await api.ok("POST", f"{NS}/pods", pod("p"))
    for kind in ("pod", "pods", "po", "Pod"):
        assert (await run(context, "resource", kind=kind, name="p", path=".status.phase", equals="Pending")).passed
