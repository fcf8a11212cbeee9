"""Interactive commands and log lines on the docker engine: Docker's streams, read apart.

Without a terminal every piece of output comes in a frame: 1 byte stream, 3 of nothing, 4 of length. With one it is
plain bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

from kubelearn.api.cri import CriError, LogLine
from kubelearn.kit.tasks import Tasks

Output = tuple[int, bytes]

_CHUNK = 32768
_LOOK_SECONDS = 0.03
_FAILED = b"OCI runtime exec failed"
_STAMP = re.compile(rb"^(\S+Z) ")


async def frames(reader: asyncio.StreamReader, first: bytes = b"") -> AsyncIterator[Output]:
    """The frames of a stream of which `first` was read already."""
    buffer = first
    while True:
        if len(buffer) >= 8:
            stream, size = struct.unpack("!BxxxI", buffer[:8])
            if len(buffer) >= 8 + size:
                yield stream or 1, buffer[8 : 8 + size]
                buffer = buffer[8 + size :]
                continue
        try:
            more = await reader.read(_CHUNK)
        except ConnectionError:
            return
        if not more:
            return
        buffer += more


async def plain(reader: asyncio.StreamReader, first: bytes = b"") -> AsyncIterator[Output]:
    if first:
        yield 1, first
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            yield 1, data


class Session:
    """An `ExecSession` over one hijacked connection. `resizer` and `exited` are the engine's calls for this command."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        tty: bool,
        resizer: Callable[[int, int], Awaitable[None]],
        exited: Callable[[], Awaitable[int]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tty = tty
        self._resizer = resizer
        self._exited = exited
        self._first = b""

    async def begin(self, started: Callable[[], Awaitable[bool]]) -> None:
        """Returns once the command runs or has ended; raises CriError, as runc words it, when it cannot be started."""
        async with Tasks("exec") as tasks:
            looking = tasks.start(self._peek(), "first output")
            while not looking.done() and not await started():
                await asyncio.wait({looking}, timeout=_LOOK_SECONDS)
        _, failed, problem = self._first.partition(_FAILED)
        if failed:
            problem += await self._reader.read(_CHUNK)
            raise CriError("ExecError", (failed + problem).decode(errors="replace").strip())

    async def _peek(self) -> None:
        self._first = await self._reader.read(_CHUNK)

    async def output(self) -> AsyncIterator[Output]:
        first, self._first = self._first, b""
        async for item in (plain if self._tty else frames)(self._reader, first):
            yield item

    async def write(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def close_stdin(self) -> None:
        """A terminal ends its input by a character, a pipe by closing."""
        if self._tty:
            await self.write(b"\x04")
            return
        with contextlib.suppress(OSError):
            if self._writer.can_write_eof():
                self._writer.write_eof()

    async def resize(self, width: int, height: int) -> None:
        if self._tty:
            await self._resizer(width, height)

    async def exit_code(self) -> int:
        return await self._exited()

    async def close(self) -> None:
        self._writer.close()


async def log_lines(reader: asyncio.StreamReader, tty: bool) -> AsyncIterator[LogLine]:
    """Of a stream asked for with timestamps=1: one line a frame, each with its time before it."""
    if not tty:
        async for stream, data in frames(reader):
            if match := _STAMP.match(data):
                yield LogLine(_nanoseconds(match[1]), "stderr" if stream == 2 else "stdout", data[match.end() :])
        return
    rest = b""
    async for _, data in plain(reader):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if match := _STAMP.match(line):
                yield LogLine(_nanoseconds(match[1]), "stdout", line[match.end() :] + b"\n")
    if match := _STAMP.match(rest):
        yield LogLine(_nanoseconds(match[1]), "stdout", rest[match.end() :])


def _nanoseconds(stamp: bytes) -> str:
    """All nine digits, so that times sort as text."""
    whole, _, fraction = stamp.decode().rstrip("Z").partition(".")
    return f"{whole}.{fraction:0<9}Z"
