"""Port-forward: what comes over a WebSocket goes to a pod's port, and back.

Channel 2n carries port n's bytes, 2n + 1 its errors; each begins with the port number, little-endian, as kubelets do.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING

from kubelearn.kit.tasks import Tasks

if TYPE_CHECKING:
    from aiohttp import web

_CHUNK = 32768


async def forward(socket: web.WebSocketResponse, targets: list[tuple[str, int]], ports: list[int]) -> None:
    """Returns when the user has gone, or every port's connection has ended."""
    from aiohttp import WSMsgType

    writers: dict[int, asyncio.StreamWriter] = {}
    async with Tasks("port-forward") as tasks:
        pumps = []
        for number, target in enumerate(targets):
            await socket.send_bytes(bytes([2 * number]) + struct.pack("<H", ports[number]))
            await socket.send_bytes(bytes([2 * number + 1]) + struct.pack("<H", ports[number]))
            try:
                reader, writers[2 * number] = await asyncio.open_connection(*target)
            except OSError as error:
                text = f"failed to connect to localhost:{ports[number]} inside the pod: {error.strerror or error}"
                await socket.send_bytes(bytes([2 * number + 1]) + text.encode())
                continue
            pumps.append(tasks.start(_pump(socket, reader, 2 * number), f"port-{ports[number]}"))
        if pumps:
            tasks.start(_close_after(socket, pumps), "end")
        else:
            await socket.close()
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
