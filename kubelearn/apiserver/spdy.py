"""exec, attach and port-forward for clients older than kubectl 1.31, which speak SPDY/3.1 where later ones speak WebSocket.

The kubelet knows WebSocket only, so a session is translated here: a SPDY stream of the client's is a channel of the
WebSocket towards the kubelet. Port-forward needs no translation: its WebSocket is a tunnel for the very same SPDY bytes.
Called by `streams`; the framing is in `kit.spdy`. Source: client-go's remotecommand and portforward packages.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping

import aiohttp
from aiohttp import WSMsgType, web

from kubelearn.api.errors import ApiError
from kubelearn.kit import spdy
from kubelearn.kit.tasks import Tasks

log = logging.getLogger(__name__)

#: What is spoken towards the kubelet. v5, since a half-closed stream is what SPDY's standard input ends with.
UPSTREAM = {
    "exec": ("v5.channel.k8s.io",),
    "attach": ("v5.channel.k8s.io",),
    "portforward": ("SPDY/3.1+portforward.k8s.io",),
}
_OFFERED = {"exec": "v4.channel.k8s.io", "attach": "v4.channel.k8s.io", "portforward": "portforward.k8s.io"}
_VERSION = "X-Stream-Protocol-Version"
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_CHANNELS = {"stdin": _STDIN, "stdout": _STDOUT, "stderr": _STDERR, "error": _ERROR, "resize": _RESIZE}
_OPEN_SECONDS = 30.0
_LEAVE_SECONDS = 3.0
_CHUNK = 32768


def is_asked(request: web.BaseRequest) -> bool:
    return request.headers.get("Upgrade", "").upper() == "SPDY/3.1"


def agree(request: web.BaseRequest, subresource: str) -> str:
    """The version of the streams' protocol; raises ApiError 403, as Kubernetes does, when the client offers another."""
    given = ",".join(request.headers.getall(_VERSION, []))
    offered, served = [p.strip() for p in given.split(",") if p.strip()], _OFFERED[subresource]
    if served not in offered:
        text = f"unable to upgrade: unable to negotiate protocol: client supports {offered}, server accepts [{served}]"
        raise ApiError(403, "Forbidden", text, {})
    return served


async def serve(
    request: web.Request, upstream: aiohttp.ClientWebSocketResponse, subresource: str, protocol: str
) -> web.StreamResponse:
    """Upgrade the client's connection, and relay until either side ends."""
    client = _Connection(request, protocol)
    await client.upgrade()
    async with Tasks("spdy") as tasks:
        if subresource == "portforward":
            up, down = _tunnel_up(client, upstream), _tunnel_down(client, upstream)
        else:
            session = _Session(client, upstream, _expected(request.query))
            up, down = session.up(), session.down()
        received = tasks.start(up, "up")
        sent = tasks.start(down, "down")
        await asyncio.wait({received, sent}, return_when=asyncio.FIRST_COMPLETED)
        if not received.done():
            # The client hangs up when it has read everything; to close first might cut off what is on its way.
            await asyncio.wait({received}, timeout=_LEAVE_SECONDS)
    return client.response


def _expected(query: Mapping[str, str]) -> set[int]:
    """The streams that a client opens: those asked for, and one for errors."""

    def asked(*names: str) -> bool:
        return any(query.get(name, "") in ("1", "true") for name in names)

    tty = asked("tty")
    found = {_ERROR: True, _STDIN: asked("stdin", "input"), _STDOUT: asked("stdout", "output"), _RESIZE: tty}
    found[_STDERR] = asked("stderr", "error") and not tty
    return {channel for channel, there in found.items() if there}


class _Connection:
    """The client's end after the upgrade: raw bytes both ways."""

    def __init__(self, request: web.Request, protocol: str) -> None:
        self._request = request
        self._reader = asyncio.StreamReader(limit=_CHUNK)
        headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", _VERSION: protocol}
        self.response = web.StreamResponse(status=101, headers=headers)
        self.response.force_close()

    async def upgrade(self) -> None:
        request = self._request
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client has gone")
        self._reader.set_transport(transport)  # which is paused while nobody reads
        request.protocol.set_parser(_Feed(self._reader))  # type: ignore[arg-type]
        await self.response.prepare(request)

    async def read(self) -> bytes:
        """Empty at the end."""
        return await self._reader.read(_CHUNK)

    async def write(self, data: bytes) -> None:
        await self.response.write(data)


class _Feed:
    """What aiohttp gives the bytes to that follow an upgrade."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._reader.feed_data(data)
        return False, b""

    def feed_eof(self) -> None:
        self._reader.feed_eof()


async def _messages(upstream: aiohttp.ClientWebSocketResponse) -> AsyncIterator[bytes]:
    async for message in upstream:
        if message.type is WSMsgType.BINARY and message.data:
            yield message.data


async def _tunnel_up(client: _Connection, upstream: aiohttp.ClientWebSocketResponse) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await client.read():
            await upstream.send_bytes(data)


async def _tunnel_down(client: _Connection, upstream: aiohttp.ClientWebSocketResponse) -> None:
    with contextlib.suppress(ConnectionError):
        async for data in _messages(upstream):
            await client.write(data)


class _Session:
    """One exec or attach."""

    def __init__(
        self, client: _Connection, upstream: aiohttp.ClientWebSocketResponse, expected: set[int]
    ) -> None:  # fmt: skip
        self._client, self._upstream, self._expected = client, upstream, expected
        self._wire = spdy.Connection()
        self._streams: dict[int, int] = {}  # by channel
        self._opened = asyncio.Event()
        self._size = b""

    async def up(self) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await self._client.read():
                try:
                    for frame in self._wire.feed(data):
                        await self._take(frame)
                except ValueError as error:
                    log.warning("exec: %s", error)
                    return

    async def _take(self, frame: spdy.Frame) -> None:
        if frame.kind == spdy.SYN_STREAM:
            await self._open(frame)
        elif frame.kind == spdy.PING:
            await self._client.write(self._wire.pong(frame))
        elif frame.kind == spdy.DATA and frame.stream == self._streams.get(_STDIN):
            if frame.data:
                await self._upstream.send_bytes(bytes([_STDIN]) + frame.data)
            if frame.last:
                await self._upstream.send_bytes(bytes([_CLOSE, _STDIN]))
        elif frame.kind == spdy.DATA and frame.stream == self._streams.get(_RESIZE):
            *sizes, self._size = (self._size + frame.data).split(b"\n")
            for size in sizes:
                await self._upstream.send_bytes(bytes([_RESIZE]) + size)

    async def _open(self, frame: spdy.Frame) -> None:
        channel = _CHANNELS.get(frame.headers.get("streamtype", ""))
        if channel is None or channel in self._streams:
            await self._client.write(self._wire.reset(frame.stream))
            return
        self._streams[channel] = frame.stream
        await self._client.write(self._wire.reply(frame.stream))
        if self._expected <= self._streams.keys():
            self._opened.set()

    async def down(self) -> None:
        """What the kubelet sends, once the client has opened the streams for it."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_OPEN_SECONDS):
                await self._opened.wait()
            async for message in _messages(self._upstream):
                stream = self._streams.get(message[0])
                if stream is not None and len(message) > 1:
                    await self._client.write(self._wire.data(stream, message[1:]))
            for channel in (_STDOUT, _STDERR, _ERROR):
                if channel in self._streams:
                    await self._client.write(self._wire.data(self._streams[channel], b"", last=True))
