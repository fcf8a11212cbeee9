"""The health check against a server that answers frame by frame, as grpc-go does."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from kubelearn.api.cri import Container
from kubelearn.kit.underlay import Underlay
from kubelearn.node.kubelet.handlers import Handlers

CONTAINER = Container("c", "s", "c", "u", "i", "sha", 0, "RUNNING")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def answer(status: int) -> bytes:
    message = bytes([8, status]) if status else b""
    data = frame(0, 0, 1, struct.pack("!BI", 0, len(message)) + message)
    return frame(1, 4, 1, b"\x88") + data + frame(1, 5, 1, b"\x88")


@asynccontextmanager
async def server(reply: Callable[[bytes], bytes]) -> AsyncIterator[int]:
    """`reply` gets what the client sent; settings, an acknowledgement to wait for and a ping come before its answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        preface = await reader.readexactly(24)
        said = preface
        while b"Health/Check" not in said or not said.endswith((b"\0\0\0\0\0", b"live")):
            said += await reader.read(4096)
        writer.write(frame(4, 0, 0, struct.pack("!HI", 3, 100)) + frame(6, 0, 0, b"12345678"))
        acks = await reader.readexactly(9 + 17)
        assert acks == frame(4, 1, 0) + frame(6, 1, 0, b"12345678")
        writer.write(reply(said))
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1")
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def probe(port: int, service: str = "") -> tuple[bool, str]:
    handlers = Handlers(None, Underlay(""))  # type: ignore[arg-type]
    return await handlers.ask({"grpc": {"port": port, "service": service}}, {}, CONTAINER, "127.0.0.1", 2.0)


async def test_a_serving_server() -> None:
    seen: list[bytes] = []

    def reply(said: bytes) -> bytes:
        seen.append(said)
        return answer(1)

    async with server(reply) as port:
        assert await probe(port, "live") == (True, "")
    assert seen[0].startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert seen[0].endswith(b"\x00\x00\x00\x00\x06\x0a\x04live")


@pytest.mark.parametrize(("status", "word"), [(0, "UNKNOWN"), (2, "NOT_SERVING")])
async def test_a_server_that_does_not_serve(status: int, word: str) -> None:
    async with server(lambda _: answer(status)) as port:
        assert await probe(port) == (False, f'service unhealthy (responded with "{word}")')


async def test_a_server_without_the_service_and_one_that_speaks_something_else() -> None:
    async with server(lambda _: frame(1, 5, 1, b"\x88")) as port:
        ok, message = await probe(port)
        assert not ok
        assert message == "error: health rpc probe failed: the server did not answer the health check"
    async with server(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert (await probe(port))[1].endswith("the server does not speak HTTP/2")
    ok, message = await probe(port)
    assert message.startswith(f'error: failed to connect service at "127.0.0.1:{port}": dial tcp')
