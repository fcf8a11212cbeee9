"""Requests as they go out, answers and errors as they come in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Resource
from kubelearn.client.discovery import Mapper, NoMatch, discover
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH, Client
from kubelearn.client.transport import Request, Response, TransportError, WebSocket
from kubelearn.trace import cause

PODS = Resource("", "v1", "Pod", "pods", "pod", True, ("po",), ("all",))
EVENTS = Resource("", "v1", "Event", "events", "event", True, ("ev",))
NEW_EVENTS = Resource("events.k8s.io", "v1", "Event", "events", "event", True, ("ev",))
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", "deployment", True, ("deploy",), ("all",))
NODES = Resource("", "v1", "Node", "nodes", "node", False, ("no",))
MAPPER = Mapper([PODS, EVENTS, NODES, NEW_EVENTS, DEPLOYMENTS])


class Scripted:
    """Answers what it is told to, and keeps what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        return answer if isinstance(answer, Response) else Response(200, {}, orjson.dumps(answer))

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        raise NotImplementedError

    async def close(self) -> None: ...


async def test_paths_and_bodies() -> None:
    transport = Scripted(*[{"kind": "Pod"}] * 6)
    client = Client(transport, user_agent="me")
    pod = {"metadata": {"name": "x", "namespace": "shop"}}
    await client.get(PODS, "x", "shop", subresource="log", tailLines=3)
    await client.create(PODS, pod, dryRun="All")
    await client.update(PODS, pod, subresource="status")
    await client.patch(PODS, "x", "shop", {"a": 1}, STRATEGIC_MERGE_PATCH, force=True)
    await client.delete(PODS, "x", "shop", options={"gracePeriodSeconds": 0})
    await client.create(PODS, {"target": {}}, "shop", subresource="binding", name="x")
    asked = [(r.method, r.path, r.query) for r in transport.asked]
    root = "/api/v1/namespaces/shop/pods"
    assert asked == [
        ("GET", f"{root}/x/log", [("tailLines", "3")]),
        ("POST", root, [("dryRun", "All")]),
        ("PUT", f"{root}/x/status", []),
        ("PATCH", f"{root}/x", [("force", "true")]),
        ("DELETE", f"{root}/x", []),
        ("POST", f"{root}/x/binding", []),
    ]
    assert transport.asked[3].headers["content-type"] == STRATEGIC_MERGE_PATCH
    assert orjson.loads(transport.asked[4].body)["kind"] == "DeleteOptions"
    assert transport.asked[0].headers["user-agent"] == "me"


async def test_items_of_a_list_know_their_kind() -> None:
    answer = {"kind": "PodList", "metadata": {}, "items": [{"metadata": {"name": "x"}}]}
    transport = Scripted(answer)
    found = await Client(transport).list(PODS, label_selector="a=b", field_selector="spec.nodeName=n", limit=5)
    assert found["items"][0]["kind"] == "Pod"
    assert found["items"][0]["apiVersion"] == "v1"
    assert transport.asked[0].query == [
        ("labelSelector", "a=b"),
        ("fieldSelector", "spec.nodeName=n"),
        ("limit", "5"),
    ]


async def test_the_cause_travels_in_headers() -> None:
    transport = Scripted({"kind": "Pod"})
    with cause.acting(cause.Acting("ab" * 16, 42, "kubectl apply -f x", {"why": "so"})):
        await Client(transport).get(PODS, "x", "shop")
    assert cause.from_headers(transport.asked[0].headers) == cause.Acting(
        "ab" * 16, 42, "kubectl apply -f x", {"why": "so"}
    )


async def test_a_status_becomes_an_api_error() -> None:
    status = {"kind": "Status", "code": 404, "reason": "NotFound", "message": 'pods "x" not found', "details": {}}
    client = Client(Scripted(Response(404, {}, orjson.dumps(status))))
    with pytest.raises(ApiError) as caught:
        await client.get(PODS, "x", "shop")
    assert (caught.value.code, caught.value.reason) == (404, "NotFound")


async def test_a_refusal_that_is_no_status_and_an_answer_that_is_no_json() -> None:
    client = Client(Scripted(Response(404, {}, b"404 page not found\n"), Response(200, {}, b"<html>")))
    with pytest.raises(ApiError, match=r"could not find the requested resource \(get pods x\)") as caught:
        await client.get(PODS, "x", "shop")
    assert caught.value.reason == "NotFound"
    with pytest.raises(TransportError, match="not JSON"):
        await client.get(PODS, "x", "shop")


async def test_an_error_event_ends_a_watch() -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield b'{"type":"ADDED","object":{"metadata":{}}}\n'
        yield b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n'

    client = Client(Scripted(Response(200, {}, stream=stream())))
    events = client.watch(PODS)
    assert (await anext(events)).type == "ADDED"
    with pytest.raises(ApiError, match="too old") as caught:
        await anext(events)
    assert caught.value.code == 410


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("pods", PODS),
        ("po", PODS),
        ("Pod", PODS),
        ("pod.v1", PODS),
        ("deployments.apps", DEPLOYMENTS),
        ("deployment.v1.apps", DEPLOYMENTS),
        ("deploy", DEPLOYMENTS),
        ("events", EVENTS),
        ("events.events.k8s.io", NEW_EVENTS),
        ("ev", EVENTS),
    ],
)
def test_words(word: str, expected: Resource) -> None:
    assert MAPPER.find(word) is expected


@pytest.mark.parametrize("word", ["foo", "foo.apps", "pods.apps", "deployment.v9.apps"])
def test_words_that_mean_nothing(word: str) -> None:
    with pytest.raises(NoMatch, match=f'the server doesn\'t have a resource type "{word.partition(".")[0]}"'):
        MAPPER.find(word)


def test_kinds_and_categories() -> None:
    assert MAPPER.for_kind("apps/v1", "Deployment") is DEPLOYMENTS
    with pytest.raises(NoMatch, match='no matches for kind "Deployment" in version "v1"'):
        MAPPER.for_kind("v1", "Deployment")
    assert MAPPER.category("all") == [PODS, DEPLOYMENTS]


async def test_aggregated_discovery() -> None:
    resource = {
        "resource": "pods",
        "responseKind": {"kind": "Pod"},
        "scope": "Namespaced",
        "singularResource": "pod",
        "verbs": ["get"],
        "subresources": [{"subresource": "log"}],
    }
    versions = [{"version": "v1", "resources": [resource]}]
    core = {"kind": "APIGroupDiscoveryList", "items": [{"metadata": {}, "versions": versions}]}
    none = {"kind": "APIGroupDiscoveryList", "items": []}
    (found,) = (await discover(Client(Scripted(core, none)))).all()
    assert (found.plural, found.verbs, found.subresources) == ("pods", ("get",), ("log",))


async def test_legacy_discovery() -> None:
    entries = [
        {"name": "deployments", "singularName": "", "namespaced": True, "kind": "Deployment", "verbs": ["get"]},
        {"name": "deployments/scale", "namespaced": True, "kind": "Scale", "verbs": ["get"]},
    ]
    groups = {"groups": [{"name": "apps", "versions": [{"version": "v1"}], "preferredVersion": {"version": "v1"}}]}
    transport = Scripted({"versions": ["v1"]}, groups, {"resources": []}, {"resources": entries})
    (found,) = (await discover(Client(transport))).all()
    assert (found.group, found.singular, found.subresources) == ("apps", "deployment", ("scale",))
