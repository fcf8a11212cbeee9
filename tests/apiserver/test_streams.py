"""The way to kubelets and pods, over real sockets: a kubelet that is small, an API server that is whole."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import codec, http, keys, streams
from kubelearn.apiserver.auth import Authenticator, Authorizer, User
from kubelearn.apiserver.server import ApiServer
from kubelearn.cluster import pki
from kubelearn.kit import spdy
from kubelearn.store.memory import MemoryStore
from kubelearn.trace.gate import Gate

NODES = Resource("", "v1", "Node", "nodes", "node", False)
PODS = Resource("", "v1", "Pod", "pods", "pod", True)
ADMIN = User("ann", ("system:masters", "system:authenticated"))
POD = "/api/v1/namespaces/default/pods/web"
V5 = "v5.channel.k8s.io"


def pod(*containers: str, node: str = "worker-1", init: tuple[str, ...] = (), default: str = "") -> Obj:
    found: Obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"containers": [{"name": c, "image": "i", "ports": [{"containerPort": 8080}]} for c in containers]},
        "status": {"podIP": "10.1.0.2"},
    }
    if init:
        found["spec"]["initContainers"] = [{"name": c} for c in init]
    if default:
        found["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": default}
    if node:
        found["spec"]["nodeName"] = node
    return found


NODE: Obj = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "worker-1"},
    "status": {
        "addresses": [{"type": "Hostname", "address": "worker-1"}, {"type": "InternalIP", "address": "10.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    },
}


@dataclass
class FakeKubelet:
    """Answers as a kubelet would, and notes what it was asked."""

    asked: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    refuse: tuple[int, str] | None = None
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if self.refuse is not None:
            return web.Response(status=self.refuse[0], text=self.refuse[1])
        if request.path.startswith("/containerLogs/"):
            return await self._logs(request)
        if "Upgrade" not in request.headers:
            return web.Response(status=400, text="unable to upgrade: WebSocket only")
        return await self._echo(request)

    async def _logs(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await response.write(b"hello\n")
        try:
            while request.query.get("follow"):
                await asyncio.sleep(0.01)
                await response.write(b"more\n")
        except (ConnectionError, asyncio.CancelledError):
            self.closed.set()
            raise
        return response

    async def _echo(self, request: web.BaseRequest) -> web.StreamResponse:
        """Sends back each frame; `bye` ends the session."""
        socket = web.WebSocketResponse(protocols=(V5, "SPDY/3.1+portforward.k8s.io"), max_msg_size=0)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
                continue
            await socket.send_bytes(b"\x01" + message.data)
            if message.data == b"\x00bye":
                await socket.send_bytes(b'\x03{"status":"Success"}')
                break
        self.closed.set()
        await socket.close()
        return socket


@dataclass
class Plane:
    server: ApiServer
    site: http.Site
    kubelet: FakeKubelet
    session: aiohttp.ClientSession

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.site.port}{path}"

    async def store(self, obj: Obj) -> None:
        resource = PODS if obj["kind"] == "Pod" else NODES
        meta = obj["metadata"]
        key = keys.key(resource, meta.get("namespace", ""), meta["name"])
        await self.server.put(key, codec.encode(obj), expect=None, cause=b"")

    async def get(self, path: str, **options: Any) -> tuple[int, str]:
        async with self.session.get(self.url(path), **options) as answer:
            return answer.status, await answer.text()

    async def refused(self, path: str, **options: Any) -> Obj:
        async with self.session.get(self.url(path), **options) as answer:
            found: Obj = await answer.json()
            assert found["kind"] == "Status"
            assert found["code"] == answer.status
            return found


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context and one that trusts it."""
    folder: Path = tmp_path_factory.mktemp("pki")
    authority = pki.Authority.create()
    pki.write_pair(folder, "server", authority.issue("server", (), ("127.0.0.1",)))
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(folder / "server.crt", folder / "server.key")
    return own, ssl.create_default_context(cadata=authority.pair.certificate)


async def application(request: web.BaseRequest) -> web.StreamResponse:
    """What runs in the pod."""
    if request.path == "/gzip":
        assert request.headers["Accept-Encoding"] == "gzip"
        return web.Response(body=gzip.compress(b"packed"), headers={"Content-Encoding": "gzip"})
    if request.path == "/moved":
        return web.Response(status=302, headers={"Location": "/login?next=/moved"})
    if request.path == "/away":
        return web.Response(status=302, headers={"Location": "https://example.org/x"})
    if request.path == "/nothing":
        return web.Response(status=204)
    if request.path == "/cookies":
        answer = web.Response(text="")
        answer.headers.extend([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return answer
    told = request.headers.get("Authorization", "nothing secret")
    return web.Response(
        status=418, text=f"{request.method} {request.path_qs} {await request.text()} {told}", headers={"X-Pod": "web"}
    )


@pytest.fixture
async def plane(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> AsyncIterator[Plane]:
    store, kubelet = MemoryStore(), FakeKubelet()
    await store.open()
    runners = [web.ServerRunner(web.Server(h), shutdown_timeout=0.1) for h in (kubelet.handle, application)]
    for runner, context in zip(runners, (tls[0], None), strict=True):
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    ports = {("10.0.0.1", 10250): runners[0].addresses[0][1], ("10.1.0.2", 8080): runners[1].addresses[0][1]}
    server = ApiServer(
        store, Gate(), authenticator=Authenticator({"secret": ADMIN}, "key"), authorizer=Authorizer(),
        dial=lambda host, port: ("127.0.0.1", ports.get((host, port), 1)), kubelet_ssl=tls[1],
    )  # fmt: skip
    site = await http.serve(server, [("127.0.0.1", 0)], tls[0])
    connector = aiohttp.TCPConnector(ssl=tls[1])
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer secret"}, connector=connector) as session:
        found = Plane(server, site, kubelet, session)
        await found.store(NODE)
        await found.store(pod("web"))
        yield found
    await site.close()
    await server.close()
    for runner in runners:
        await runner.cleanup()
    await store.close()


# which container


@pytest.mark.parametrize(
    ("given", "asked", "chosen"),
    [
        (pod("web"), "", "web"),
        (pod("web", "log"), "log", "log"),
        (pod("web", "log", default="log"), "", "log"),
        (pod("web", init=("first",)), "first", "first"),
    ],
)
def test_the_container_that_is_meant(given: Obj, asked: str, chosen: str) -> None:
    assert streams.container_of(given, asked) == chosen


@pytest.mark.parametrize(
    ("given", "asked", "text"),
    [
        (pod("a", "b"), "", "a container name must be specified for pod web, choose one of: [a b]"),
        (
            pod("a", "b", init=("i",)), "",
            "a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [i]",
        ),
        (pod("a"), "x", "container x is not valid for pod web"),
    ],
)  # fmt: skip
def test_a_container_that_is_not_clear_is_refused(given: Obj, asked: str, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        streams.container_of(given, asked)
    assert (caught.value.code, caught.value.message) == (400, text)


# logs


async def test_logs_come_from_the_kubelet_with_their_options(plane: Plane) -> None:
    assert await plane.get(POD + "/log?container=web&tailLines=5&timestamps=true") == (200, "hello\n")
    assert plane.kubelet.asked == ["/containerLogs/default/web/web?tailLines=5&timestamps=true"]


async def test_a_log_that_is_followed_ends_at_the_kubelet_when_the_reader_goes(plane: Plane) -> None:
    async with asyncio.timeout(5):
        async with plane.session.get(plane.url(POD + "/log?follow=true")) as answer:
            assert await answer.content.readline() == b"hello\n"
            assert await answer.content.readline() == b"more\n"
            answer.close()
        await plane.kubelet.closed.wait()


async def test_a_pod_without_node_has_no_logs_yet(plane: Plane) -> None:
    await plane.store(pod("web", node=""))
    assert await plane.get(POD + "/log") == (200, "")


@pytest.mark.parametrize(
    ("told", "reason", "message"),
    [
        ((400, "container is waiting to start\n"), "BadRequest", "container is waiting to start"),
        ((404, "pod not found"), "NotFound", "pod not found"),
        ((500, "the disk is full"), "InternalError", "Internal error occurred: the disk is full"),
    ],
)
async def test_the_kubelets_refusal_is_passed_on(
    plane: Plane, told: tuple[int, str], reason: str, message: str
) -> None:
    plane.kubelet.refuse = told
    status = await plane.refused(POD + "/log")
    assert (status["code"], status["reason"], status["message"]) == (told[0], reason, message)


async def test_a_kubelet_that_is_away_is_an_error_that_names_it(plane: Plane) -> None:
    lost: Obj = {**NODE, "status": {**NODE["status"], "daemonEndpoints": {"kubeletEndpoint": {"Port": 9}}}}
    await plane.store(lost)
    status = await plane.refused(POD + "/log")
    assert status["code"] == 500
    assert 'Get "https://10.0.0.1:9/containerLogs/default/web/web"' in status["message"]


# exec, attach, port-forward


async def test_exec_relays_both_ways_until_the_kubelet_ends(plane: Plane) -> None:
    path = plane.url(POD + "/exec?command=sh&command=-c&container=web&stdin=true")
    async with asyncio.timeout(5), plane.session.ws_connect(path, protocols=(V5, "v4.channel.k8s.io")) as socket:
        assert socket.protocol == V5
        await socket.send_bytes(b"\x00hi")
        assert await socket.receive_bytes() == b"\x01\x00hi"
        await socket.send_str("text")
        assert await socket.receive_str() == "text"
        await socket.send_bytes(b"\x00bye")
        assert await socket.receive_bytes() == b"\x01\x00bye"
        assert await socket.receive_bytes() == b'\x03{"status":"Success"}'
        assert (await socket.receive()).type is WSMsgType.CLOSE
        assert socket.close_code == 1000
    assert plane.kubelet.asked == ["/exec/default/web/web?command=sh&command=-c&stdin=true"]


async def test_the_kubelet_is_told_when_the_user_goes(plane: Plane) -> None:
    async with asyncio.timeout(5):
        async with plane.session.ws_connect(plane.url(POD + "/attach"), protocols=(V5,)):
            pass
        await plane.kubelet.closed.wait()
    assert plane.kubelet.asked == ["/attach/default/web/web"]


async def test_port_forward_is_a_tunnel(plane: Plane) -> None:
    protocol = "SPDY/3.1+portforward.k8s.io"
    async with asyncio.timeout(5):
        async with plane.session.ws_connect(plane.url(POD + "/portforward"), protocols=(protocol,)) as socket:
            assert socket.protocol == protocol
            await socket.send_bytes(b"\x80frame")
            assert await socket.receive_bytes() == b"\x01\x80frame"
    assert plane.kubelet.asked == ["/portForward/default/web"]


async def test_large_frames_pass(plane: Plane) -> None:
    data = bytes(5 * 1024 * 1024)
    async with asyncio.timeout(10):
        url = plane.url(POD + "/exec")
        async with plane.session.ws_connect(url, protocols=(V5,), max_msg_size=0) as socket:
            await socket.send_bytes(data)
            assert await socket.receive_bytes() == b"\x01" + data


def upgrade(kind: str, protocol: str = V5) -> dict[str, Any]:
    headers = {"Connection": "Upgrade", "Upgrade": kind, "Sec-WebSocket-Protocol": protocol}
    headers["X-Stream-Protocol-Version"] = "v4.channel.k8s.io"
    return {"headers": {**headers, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}}


class Spdy:
    """An old kubectl: an upgraded connection, and the streams it opens."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.wire = spdy.Connection()

    @classmethod
    async def upgraded(cls, plane: Plane, path: str, version: str) -> Spdy:
        """Raises AssertionError with the answer when there is no upgrade."""
        trusting = plane.session.connector._ssl  # type: ignore[union-attr]
        found = cls(*await asyncio.open_connection("127.0.0.1", plane.site.port, ssl=trusting))
        lines = (f"POST {path} HTTP/1.1", "Host: x", "Authorization: Bearer secret", "Connection: Upgrade",
                 "Upgrade: SPDY/3.1", f"X-Stream-Protocol-Version: {version}", "", "")  # fmt: skip
        found.writer.write("\r\n".join(lines).encode())
        head = (await found.reader.readuntil(b"\r\n\r\n")).decode()
        if " 101 " not in head:
            found.writer.close()
        assert head.startswith("HTTP/1.1 101 Switching Protocols\r\n"), head
        assert f"X-Stream-Protocol-Version: {version.split(',')[0]}\r\n" in head
        return found

    async def frames(self, ends: int) -> list[spdy.Frame]:
        """All until so many streams have ended, or the server closes."""
        found: list[spdy.Frame] = []
        while sum(f.last for f in found) < ends and (data := await self.reader.read(4096)):
            found += list(self.wire.feed(data))
        self.writer.close()
        return found


async def test_old_clients_enter_by_spdy(plane: Plane) -> None:
    """Each stream is a channel of the kubelet's WebSocket; output is held until the client has opened its streams."""
    async with asyncio.timeout(10):
        client = await Spdy.upgraded(plane, POD + "/exec?command=cat&stdin=true&stdout=true", "v4.channel.k8s.io")
        wire = client.wire
        early = wire.open(1, {"streamtype": "stdin"}) + wire.data(1, b"early")
        client.writer.write(early + wire.open(3, {"streamtype": "nonsense"}) + wire.open(5, {"streamtype": "error"}))
        client.writer.write(wire.open(7, {"streamtype": "stdout"}) + b"\x80\x03\0\x06\0\0\0\x04\0\0\0\x09")
        client.writer.write(wire.data(1, b"bye"))
        frames = await client.frames(ends=2)
    kinds = [(f.kind, f.stream) for f in frames if f.kind != spdy.DATA]
    assert kinds[:4] == [(spdy.SYN_REPLY, 1), (spdy.RST_STREAM, 3), (spdy.SYN_REPLY, 5), (spdy.SYN_REPLY, 7)]
    assert (spdy.PING, 9) in kinds
    output = b"".join(f.data for f in frames if f.kind == spdy.DATA and f.stream == 7)
    assert output == b"\0early\0bye"
    assert b"".join(f.data for f in frames if f.kind == spdy.DATA and f.stream == 5) == b'{"status":"Success"}'
    assert {f.stream for f in frames if f.last} == {5, 7}
    assert plane.kubelet.asked == ["/exec/default/web/web?command=cat&stdin=true&stdout=true"]


async def test_the_end_of_input_and_the_size_of_the_terminal_reach_the_kubelet(plane: Plane) -> None:
    async with asyncio.timeout(10):
        client = await Spdy.upgraded(plane, POD + "/exec?tty=true&stdin=true&stdout=true", "v4.channel.k8s.io")
        wire = client.wire
        for stream, kind in ((1, "error"), (3, "stdin"), (5, "stdout"), (7, "resize")):
            client.writer.write(wire.open(stream, {"streamtype": kind}))
        client.writer.write(wire.data(7, b'{"Width":80,') + wire.data(7, b'"Height":24}\n'))
        client.writer.write(wire.data(3, b"", last=True) + wire.data(3, b"bye"))
        frames = await client.frames(ends=2)
    echoed = b"".join(f.data for f in frames if f.kind == spdy.DATA and f.stream == 5)
    assert echoed == b'\x04{"Width":80,"Height":24}' + b"\xff\0" + b"\0bye"


async def test_port_forward_by_spdy_is_the_same_tunnel(plane: Plane) -> None:
    async with asyncio.timeout(10):
        client = await Spdy.upgraded(plane, POD + "/portforward", "portforward.k8s.io")
        client.writer.write(b"\x80frame")
        assert await client.reader.readexactly(7) == b"\x01\x80frame"
        client.writer.close()
        await plane.kubelet.closed.wait()
    assert plane.kubelet.asked == ["/portForward/default/web"]


@pytest.mark.parametrize("junk", [b"\x80\x02" + bytes(6), b"\x80\x03\0\1\0\0\0\x0c" + bytes(10) + b"xx"])
async def test_junk_ends_a_spdy_session(plane: Plane, junk: bytes) -> None:
    async with asyncio.timeout(10):
        client = await Spdy.upgraded(plane, POD + "/exec?stdout=true", "v4.channel.k8s.io")
        client.writer.write(junk)
        assert await client.frames(ends=1) == []
        await plane.kubelet.closed.wait()


async def test_older_protocols_of_spdy_are_refused(plane: Plane) -> None:
    with pytest.raises(AssertionError, match="403 Forbidden"):
        await Spdy.upgraded(plane, POD + "/exec?stdout=true", "v2.channel.k8s.io")
    status = await plane.refused(POD + "/exec", headers={"Connection": "Upgrade", "Upgrade": "h2c"})
    assert (status["code"], "neither WebSocket nor SPDY/3.1" in status["message"]) == (400, True)


@pytest.mark.parametrize("kind", ["websocket", "SPDY/3.1"])
async def test_what_the_kubelet_refuses_is_said_to_either_kind_of_client(plane: Plane, kind: str) -> None:
    plane.kubelet.refuse = (404, 'container not found ("web")')
    status = await plane.refused(POD + "/exec", **upgrade(kind))
    assert (status["code"], status["message"]) == (404, 'container not found ("web")')


async def test_a_pod_without_node_cannot_be_entered(plane: Plane) -> None:
    await plane.store(pod("web", node=""))
    status = await plane.refused(POD + "/exec", **upgrade("websocket"))
    assert (status["code"], status["message"]) == (400, "pod web does not have a host assigned")


async def test_an_unknown_subprotocol_is_refused(plane: Plane) -> None:
    status = await plane.refused(POD + "/exec", **upgrade("websocket", "v1.channel.k8s.io"))
    assert status["message"] == "none of the subprotocols ['v1.channel.k8s.io'] is served"


# the proxy


async def test_a_request_reaches_the_pod_whole_but_for_credentials(plane: Plane) -> None:
    url = plane.url(POD + ":8080/proxy/some/path?a=1&a=2")
    async with plane.session.post(url, data=b"body") as answer:
        assert answer.status == 418
        assert answer.headers["X-Pod"] == "web"
        assert await answer.text() == "POST /some/path?a=1&a=2 body nothing secret"


async def test_compressed_answers_stay_what_they_are(plane: Plane) -> None:
    assert await plane.get(POD + "/proxy/gzip", headers={"Accept-Encoding": "gzip"}) == (200, "packed")


async def test_redirects_within_the_pod_stay_within_the_proxy(plane: Plane) -> None:
    for path, target in (("moved", POD + "/proxy/login?next=/moved"), ("away", "https://example.org/x")):
        async with plane.session.get(plane.url(f"{POD}/proxy/{path}"), allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, target)


async def test_answers_without_body_and_with_many_cookies(plane: Plane) -> None:
    assert await plane.get(POD + "/proxy/nothing") == (204, "")
    async with plane.session.get(plane.url(POD + "/proxy/cookies")) as answer:
        assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]
    async with plane.session.head(plane.url(POD + "/proxy/x")) as answer:
        assert answer.status == 418


async def test_a_pod_that_does_not_listen_is_unavailable(plane: Plane) -> None:
    status = await plane.refused(POD + ":9/proxy/")
    assert status["code"] == 503
    assert status["message"].startswith("error trying to reach service: ")
