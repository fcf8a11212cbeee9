"""The HTTP transport against a server that closes, chunks, stalls and refuses."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Resource
from kubelearn.client.http import HttpTransport
from kubelearn.client.rest import Client
from kubelearn.client.transport import Request, TransportError

PODS = Resource("", "v1", "Pod", "pods", "pod", True)
Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Raw], Awaitable[str]]


@pytest.fixture
async def raw() -> AsyncIterator[Serve]:
    """Serve connections byte by byte."""
    servers = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(handler: Raw) -> str:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            try:
                await handler(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield serve
    for server in servers:
        server.close()
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0.01)


async def head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def test_a_connection_is_kept_and_used_again(raw: Serve) -> None:
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await head(reader):
            writer.write(OK)

    transport = HttpTransport(await raw(handler))
    for _ in range(5):
        assert (await transport.send(Request("GET", "/version"))).body == b"{}"
    assert connections == 1
    await asyncio.gather(*(transport.send(Request("GET", "/version")) for _ in range(3)))
    assert connections == 3
    await transport.close()
    with pytest.raises(TransportError, match="closed"):
        await transport.send(Request("GET", "/version"))


async def test_a_read_on_a_stale_connection_is_sent_again_and_a_write_is_not(raw: Serve) -> None:
    seen: list[bytes] = []

    async def once_then_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await head(reader)).split()[0])
        writer.write(OK)
        seen.append((await head(reader)).split()[0])

    transport = HttpTransport(await raw(once_then_hang_up))
    await transport.send(Request("GET", "/"))
    assert (await transport.send(Request("GET", "/"))).status == 200
    assert seen == [b"GET"] * 3
    with pytest.raises(TransportError):
        await transport.send(Request("POST", "/", body=b"{}"))
    assert seen.count(b"POST") == 1
    await transport.close()


async def test_a_connection_that_the_server_closed_is_noticed(raw: Serve) -> None:
    async def one_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(OK)
        await writer.drain()

    transport = HttpTransport(await raw(one_answer))
    for _ in range(3):
        await transport.send(Request("POST", "/", body=b"{}"))
        await asyncio.sleep(0.02)
    await transport.close()


async def test_a_watch_is_a_stream_however_it_is_cut(raw: Serve) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        text = b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n{"type":"DELETED","object":{}}\n'
        for start in range(0, len(text), 7):
            part = text[start : start + 7]
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    client = Client(HttpTransport(await raw(handler)))
    assert [event.type async for event in client.watch(PODS)] == ["ADDED", "DELETED"]
    await client.close()


async def test_leaving_a_watch_closes_its_connection(raw: Serve) -> None:
    closed = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        line = b'{"type":"ADDED","object":{}}\n'
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(line), line))
        try:
            assert await reader.read() == b""
        finally:
            closed.set()

    client = Client(HttpTransport(await raw(handler)))
    events = client.watch(PODS)
    assert (await anext(events)).type == "ADDED"
    await events.aclose()
    async with asyncio.timeout(1):
        await closed.wait()
    await client.close()


async def test_a_watch_that_breaks_off_is_a_transport_error(raw: Serve) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{")

    client = Client(HttpTransport(await raw(handler)))
    with pytest.raises(TransportError, match="broke off"):
        async for _ in client.watch(PODS):
            pass
    await client.close()


async def test_no_answer_in_time(raw: Serve) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    transport = HttpTransport(await raw(handler), timeout=0.05)
    with pytest.raises(TransportError, match=r"no answer within 0\.05s"):
        await transport.send(Request("GET", "/"))
    await transport.close()


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
async def test_what_is_no_answer_is_a_transport_error(raw: Serve, answer: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(answer)

    transport = HttpTransport(await raw(handler))
    with pytest.raises(TransportError):
        await transport.send(Request("GET", "/"))
    await transport.close()


async def test_nobody_listens() -> None:
    transport = HttpTransport("http://127.0.0.1:1")
    with pytest.raises(TransportError, match=r"127\.0\.0\.1:1: .*refused"):
        await transport.send(Request("GET", "/"))
    await transport.close()


async def test_plain_http_where_tls_is_expected(raw: Serve) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = (await raw(handler)).replace("http:", "https:")
    transport = HttpTransport(server, ssl.create_default_context())
    with pytest.raises(TransportError):
        await transport.send(Request("GET", "/"))
    await transport.close()


async def test_path_prefix_token_and_query(raw: Serve) -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await head(reader):
            seen.append(data)
            writer.write(OK)

    async def token() -> str:
        return "secret"

    transport = HttpTransport(await raw(handler) + "/k8s/c-1/", None, token)
    await transport.send(Request("GET", "/api/v1/pods", [("command", "sh"), ("command", "-c x")]))
    assert seen[0].startswith(b"GET /k8s/c-1/api/v1/pods?command=sh&command=-c+x HTTP/1.1\r\n")
    assert b"authorization: Bearer secret\r\n" in seen[0].lower().replace(b"bearer", b"Bearer")
    await transport.close()


async def _site(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def test_websockets() -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        assert request.query.getall("command") == ["sh", "-c"]
        async for message in socket:
            await socket.send_bytes(message.data)
            await socket.close()
        return socket

    async def refuse(_request: web.Request) -> web.Response:
        status = {"kind": "Status", "code": 404, "reason": "NotFound", "message": 'pods "x" not found'}
        return web.json_response(status, status=404)

    app = web.Application()
    app.router.add_get("/exec", echo)
    app.router.add_get("/missing", refuse)
    runner, url = await _site(app)
    client = Client(HttpTransport(url))
    query = [("command", "sh"), ("command", "-c")]
    socket = await client.websocket("/exec", query, ("v5.channel.k8s.io",))
    assert socket.subprotocol == "v5.channel.k8s.io"
    await socket.send(b"\x00hello")
    assert await socket.receive() == b"\x00hello"
    assert await socket.receive() is None
    with pytest.raises(ApiError, match='pods "x" not found') as caught:
        await client.websocket("/missing")
    assert caught.value.code == 404
    await runner.cleanup()
    with pytest.raises(TransportError):
        await client.websocket("/exec")
    await client.close()
    with pytest.raises(TransportError, match="closed"):
        await client.websocket("/exec")


def test_importing_costs_no_heavy_package() -> None:
    code = (
        "import sys, kubelearn.client.http, kubelearn.client.kubeconfig, kubelearn.client.discovery;"
        "heavy = {'aiohttp', 'yaml', 'networkx', 'textual', 'cryptography'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_names_of_servers(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a server URL"):
        HttpTransport("ftp://x")
