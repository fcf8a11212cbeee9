"""Port-forward: what comes over a WebSocket goes to a pod's ports, and back.

Two ways to say which bytes are whose. `v4.channel.k8s.io`: channel 2n carries port n, 2n + 1 its errors, each begins
with the port number, little-endian; one connection per port. `SPDY/3.1+portforward.k8s.io` is kubectl's: a SPDY
connection inside the WebSocket, with a pair of streams (data, error) for each TCP connection that is forwarded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubelearn.kit import spdy
from kubelearn.kit.tasks import Tasks

if TYPE_CHECKING:
    from aiohttp import web

log = logging.getLogger(__name__)

SPDY = "SPDY/3.1+portforward.k8s.io"
PROTOCOLS = (SPDY, "v4.channel.k8s.io", "portforward.k8s.io")
_CHUNK = 32768

#: A port of the pod → where to connect to.
Dial = Callable[[int], tuple[str, int]]


async def forward(socket: web.WebSocketResponse, dial: Dial, ports: list[int]) -> None:
    """Returns when the user has gone, or every connection has ended. `ports` matter to the channel protocol only."""
    async with Tasks("port-forward") as tasks:
        if socket.ws_protocol == SPDY:
            await _Spdy(socket, dial, tasks).run()
        else:
            await _channels(socket, dial, ports, tasks)


def _problem(port: int, error: OSError) -> str:
    why = (error.strerror or str(error)).lower()
    return f"failed to connect to localhost:{port} inside the pod: dial tcp4 127.0.0.1:{port}: connect: {why}"


async def _channels(socket: web.WebSocketResponse, dial: Dial, ports: list[int], tasks: Tasks) -> None:
    from aiohttp import WSMsgType

    writers: dict[int, asyncio.StreamWriter] = {}
    pumps = []
    for number, port in enumerate(ports):
        for channel in (2 * number, 2 * number + 1):
            await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
        try:
            reader, writers[2 * number] = await asyncio.open_connection(*dial(port))
        except OSError as error:
            await socket.send_bytes(bytes([2 * number + 1]) + _problem(port, error).encode())
            continue
        pumps.append(tasks.start(_pump(socket, reader, 2 * number), f"port-{port}"))
    tasks.start(_close_after(socket, pumps), "end")
    async for message in socket:
        if message.type is WSMsgType.BINARY and message.data and message.data[0] in writers:
            writer = writers[message.data[0]]
            with contextlib.suppress(ConnectionError):
                writer.write(message.data[1:])
                await writer.drain()
    for writer in writers.values():
        writer.close()


async def _pump(socket: web.WebSocketResponse, reader: asyncio.StreamReader, channel: int) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            await socket.send_bytes(bytes([channel]) + data)


async def _close_after(socket: web.WebSocketResponse, pumps: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*pumps, return_exceptions=True)
    await socket.close()


@dataclass(slots=True)
class _Pair:
    """The two streams of one forwarded connection, as they come."""

    port: int
    error: int = 0
    data: int = 0


class _Spdy:
    """One kubectl; ends when its WebSocket does."""

    def __init__(self, socket: web.WebSocketResponse, dial: Dial, tasks: Tasks) -> None:
        self._socket = socket
        self._dial = dial
        self._tasks = tasks
        self._wire = spdy.Connection()
        self._pairs: dict[str, _Pair] = {}
        self._inputs: dict[int, asyncio.Queue[bytes]] = {}

    async def run(self) -> None:
        from aiohttp import WSMsgType

        with contextlib.suppress(ConnectionError):
            async for message in self._socket:
                if message.type is not WSMsgType.BINARY:
                    continue
                try:
                    for frame in self._wire.feed(message.data):
                        await self._take(frame)
                except ValueError as error:
                    log.warning("port-forward: %s", error)
                    return

    async def _take(self, frame: spdy.Frame) -> None:
        if frame.kind == spdy.SYN_STREAM:
            await self._opened(frame)
        elif frame.kind == spdy.DATA and frame.stream in self._inputs:
            queue = self._inputs[frame.stream]
            if frame.data:
                await queue.put(frame.data)
            if frame.last:
                await queue.put(b"")
        elif frame.kind == spdy.RST_STREAM and frame.stream in self._inputs:
            await self._inputs[frame.stream].put(b"")
        elif frame.kind == spdy.PING:
            await self._socket.send_bytes(self._wire.pong(frame))

    async def _opened(self, frame: spdy.Frame) -> None:
        headers = frame.headers
        port, kind = headers.get("port", ""), headers.get("streamtype", "")
        if not port.isdigit() or kind not in ("data", "error"):
            await self._socket.send_bytes(self._wire.reset(frame.stream))
            return
        pair = self._pairs.setdefault(headers.get("requestid", port), _Pair(int(port)))
        setattr(pair, kind, frame.stream)
        if kind == "data":
            self._inputs[frame.stream] = asyncio.Queue(64)
        await self._socket.send_bytes(self._wire.reply(frame.stream))
        if pair.data and pair.error:
            del self._pairs[headers.get("requestid", port)]
            self._tasks.start(self._serve(pair), f"port-{port}")

    async def _serve(self, pair: _Pair) -> None:
        """One connection to the pod; the error stream says why there is none."""
        problem = ""
        with contextlib.suppress(ConnectionError):
            try:
                reader, writer = await asyncio.open_connection(*self._dial(pair.port))
            except OSError as error:
                problem = _problem(pair.port, error)
            else:
                given = self._tasks.start(self._send(pair, writer), f"port-{pair.port}-in")
                try:
                    while data := await reader.read(_CHUNK):
                        await self._socket.send_bytes(self._wire.data(pair.data, data))
                finally:
                    given.cancel()
                    writer.close()
            await self._socket.send_bytes(self._wire.data(pair.data, b"", last=True))
            await self._socket.send_bytes(self._wire.data(pair.error, problem.encode(), last=True))
        self._inputs.pop(pair.data, None)

    async def _send(self, pair: _Pair, writer: asyncio.StreamWriter) -> None:
        queue = self._inputs[pair.data]
        with contextlib.suppress(ConnectionError):
            while data := await queue.get():
                writer.write(data)
                await writer.drain()
            writer.write_eof()
