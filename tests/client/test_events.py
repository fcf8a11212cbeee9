"""Events: written once, counted, combined when similar, and never fatal."""

from __future__ import annotations

from typing import Any

import orjson

from kubelearn.api.resource import Obj
from kubelearn.client.events import EventRecorder
from kubelearn.client.rest import Client
from kubelearn.client.transport import Request, Response, TransportError, WebSocket

POD: Obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": "u"}}


class Api:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.status = 201

    async def send(self, request: Request) -> Response:
        body = orjson.loads(request.body)
        self.asked.append((request.method, request.path, body))
        if self.status == 0:
            raise TransportError("gone")
        return Response(self.status, {}, orjson.dumps({"kind": "Event"}))

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        raise NotImplementedError

    async def close(self) -> None: ...


async def test_shape() -> None:
    api = Api()
    await EventRecorder(Client(api), "kubelet", "worker-1").event(
        POD, "Normal", "Started", "Started container", field_path="spec.containers{web}"
    )
    method, path, event = api.asked[0]
    assert (method, path) == ("POST", "/api/v1/namespaces/shop/events")
    assert event["metadata"]["name"].startswith("web.")
    assert event["involvedObject"] == {
        "kind": "Pod",
        "namespace": "shop",
        "name": "web",
        "uid": "u",
        "apiVersion": "v1",
        "fieldPath": "spec.containers{web}",
    }
    assert event["source"] == {"component": "kubelet", "host": "worker-1"}
    assert (event["count"], event["type"], event["reason"]) == (1, "Normal", "Started")
    assert event["firstTimestamp"] == event["lastTimestamp"]


async def test_the_same_again_raises_the_count() -> None:
    api = Api()
    recorder = EventRecorder(Client(api), "kubelet")
    for _ in range(3):
        await recorder.event(POD, "Warning", "BackOff", "Back-off")
    assert [method for method, _, _ in api.asked] == ["POST", "PATCH", "PATCH"]
    assert api.asked[2][2]["count"] == 3


async def test_an_event_that_has_expired_is_written_anew() -> None:
    api = Api()
    recorder = EventRecorder(Client(api), "kubelet")
    await recorder.event(POD, "Warning", "BackOff", "Back-off")
    api.status = 404
    await recorder.event(POD, "Warning", "BackOff", "Back-off")
    assert [method for method, _, _ in api.asked] == ["POST", "PATCH", "POST"]


async def test_similar_ones_are_combined() -> None:
    api = Api()
    recorder = EventRecorder(Client(api), "kubelet")
    for number in range(12):
        await recorder.event(POD, "Warning", "Failed", f"try {number}")
    assert [body["message"] for m, _, body in api.asked if m == "POST"][-1] == "(combined from similar events): try 9"
    assert [m for m, _, _ in api.asked] == ["POST"] * 10 + ["PATCH"] * 2


async def test_a_flood_is_dammed() -> None:
    api = Api()
    recorder = EventRecorder(Client(api), "kubelet")
    for _ in range(100):
        await recorder.event(POD, "Warning", "BackOff", "Back-off")
    assert len(api.asked) == 25


async def test_an_event_that_cannot_be_written_is_let_go() -> None:
    api = Api()
    api.status = 0
    await EventRecorder(Client(api), "kubelet").event(POD, "Normal", "Started", "x")
    api.status = 500
    await EventRecorder(Client(api), "kubelet").event(POD, "Normal", "Started", "x")
    assert len(api.asked) == 2
