"""Informers: list and watch, expiry, back-off, own writes seen at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from kubelearn.api.resource import Obj, Resource
from kubelearn.client.informer import Informer, acting_on
from kubelearn.client.rest import Client
from kubelearn.client.transport import Request, Response, TransportError, WebSocket
from kubelearn.kit.tasks import Tasks

PODS = Resource("", "v1", "Pod", "pods", "pod", True)


def pod(name: str, revision: int, uid: str = "", **labels: str) -> Obj:
    meta = {"name": name, "namespace": "d", "uid": uid or name, "resourceVersion": str(revision), "labels": labels}
    return {"metadata": meta}


class Server:
    """A list, and watches that yield what is put into `events` (an exception breaks off, None ends)."""

    def __init__(self) -> None:
        self.items: list[Obj] = []
        self.version = 10
        self.events: asyncio.Queue[Any] = asyncio.Queue()
        self.asked: list[str] = []

    async def send(self, request: Request) -> Response:
        if request.param("watch"):
            self.asked.append(f"watch {request.param('resourceVersion')}")
            return Response(200, {}, stream=self._stream())
        self.asked.append("list")
        return Response(
            200, {}, orjson.dumps({"metadata": {"resourceVersion": str(self.version)}, "items": self.items})
        )

    async def _stream(self) -> AsyncIterator[bytes]:
        while (event := await self.events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            event_type, obj = event
            yield orjson.dumps({"type": event_type, "object": obj}) + b"\n"

    async def tell(self, *events: Any) -> None:
        for event in events:
            self.events.put_nowait(event)
        await asyncio.sleep(0.02)

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        raise NotImplementedError

    async def close(self) -> None: ...


class Followed:
    def __init__(self, server: Server, tasks: Tasks) -> None:
        self.server = server
        self.informer = Informer(Client(server), PODS)
        self.seen: list[tuple[str, str]] = []
        self.informer.add_handler(lambda t, _old, new: self.seen.append((t, new["metadata"]["name"])))
        self._tasks = tasks

    async def start(self, *items: Obj) -> None:
        self.server.items = list(items)
        self.informer.start(self._tasks)
        async with asyncio.timeout(1):
            await self.informer.synced()

    def names(self) -> list[str]:
        return sorted(obj["metadata"]["name"] for obj in self.informer.items())


@pytest.fixture
async def followed() -> AsyncIterator[Followed]:
    async with Tasks("test") as tasks:
        yield Followed(Server(), tasks)


async def test_lists_then_watches(followed: Followed) -> None:
    await followed.start(pod("a", 5))
    assert followed.informer.get("d", "a") == {"apiVersion": "v1", "kind": "Pod", **pod("a", 5)}
    await followed.server.tell(
        ("ADDED", pod("b", 11)), ("MODIFIED", pod("a", 12)), ("BOOKMARK", pod("", 20)), ("DELETED", pod("b", 21))
    )
    assert followed.seen == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
    assert followed.names() == ["a"]
    assert followed.informer.resource_version == "21"
    assert acting_on(pod("a", 12)).revision == 12


async def test_a_watch_that_ends_goes_on_where_it_was(followed: Followed) -> None:
    await followed.start()
    await followed.server.tell(("ADDED", pod("a", 11)), None)
    assert followed.server.asked == ["list", "watch 10", "watch 11"]


async def test_a_broken_connection_does_not_list_again(followed: Followed) -> None:
    await followed.start()
    await followed.server.tell(("BOOKMARK", pod("", 15)), TransportError("broke"))
    await asyncio.sleep(0.1)
    assert followed.server.asked == ["list", "watch 10", "watch 15"]


async def test_an_expired_version_lists_again_and_tells_the_difference(followed: Followed) -> None:
    await followed.start(pod("a", 5), pod("b", 6))
    followed.seen.clear()
    followed.server.items = [pod("b", 30), pod("c", 31)]
    followed.server.version = 40
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
    await followed.server.tell(("ERROR", gone))
    await asyncio.sleep(0.1)
    assert followed.server.asked == ["list", "watch 10", "list", "watch 40"]
    assert followed.seen == [("DELETED", "a"), ("MODIFIED", "b"), ("ADDED", "c")]


async def test_indexes_follow(followed: Followed) -> None:
    followed.informer.add_index("app", lambda obj: [obj["metadata"]["labels"].get("app", "")])
    await followed.start(pod("a", 5, app="x"), pod("b", 6, app="x"))
    assert len(followed.informer.by_index("app", "x")) == 2
    await followed.server.tell(("MODIFIED", pod("a", 11, app="y")), ("DELETED", pod("b", 12, app="x")))
    assert followed.informer.by_index("app", "x") == []
    assert len(followed.informer.by_index("app", "y")) == 1


async def test_own_writes_are_seen_at_once_and_told_when_watched(followed: Followed) -> None:
    await followed.start(pod("a", 5))
    followed.seen.clear()
    followed.informer.written(pod("b", 12))
    followed.informer.written(pod("a", 13, state="new"))
    assert followed.names() == ["a", "b"]
    await followed.server.tell(("MODIFIED", pod("a", 11, state="old")))
    current = followed.informer.get("d", "a")
    assert current is not None
    assert current["metadata"]["labels"] == {"state": "new"}
    followed.seen.clear()
    await followed.server.tell(("ADDED", pod("b", 12)), ("MODIFIED", pod("a", 13, state="new")))
    assert followed.seen == [("ADDED", "b"), ("MODIFIED", "a")]


async def test_own_deletions_are_seen_at_once(followed: Followed) -> None:
    await followed.start(pod("a", 5, "uid-1"))
    followed.seen.clear()
    followed.informer.removed(pod("a", 5, "uid-1"))
    assert followed.names() == []
    await followed.server.tell(("MODIFIED", pod("a", 11, "uid-1")))
    assert followed.names() == []
    await followed.server.tell(("DELETED", pod("a", 12, "uid-1")), ("ADDED", pod("a", 13, "uid-2")))
    assert followed.seen == [("DELETED", "a"), ("ADDED", "a")]
    assert followed.names() == ["a"]


async def test_an_older_list_does_not_undo_own_writes(followed: Followed) -> None:
    """A held component that lists again is answered at the revision it has been shown."""
    await followed.start(pod("a", 5, "uid-a"), pod("z", 6, "uid-z"))
    followed.informer.written(pod("b", 50))
    followed.informer.removed(pod("z", 6, "uid-z"))
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    await followed.server.tell(("ERROR", gone))
    await asyncio.sleep(0.1)
    assert followed.names() == ["a", "b"]
    followed.server.items, followed.server.version = [pod("a", 5, "uid-a")], 60
    followed.seen.clear()
    await followed.server.tell(("ERROR", gone))
    await asyncio.sleep(0.1)
    assert followed.names() == ["a"]
    assert followed.seen == [("DELETED", "b"), ("DELETED", "z")]


async def test_a_handler_that_fails_does_not_stop_the_others(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_type: str, _old: Obj | None, _new: Obj) -> None:
        raise ValueError("no")

    followed.informer.add_handler(fail)
    late: list[str] = []
    followed.informer.add_handler(lambda t, _o, n: late.append(n["metadata"]["name"]))
    await followed.start(pod("a", 5), pod("b", 6))
    assert late == ["a", "b"]
    assert "a handler failed" in caplog.text
