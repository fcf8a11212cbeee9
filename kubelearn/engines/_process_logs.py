"""Read a container's log as its shim writes it, from the end or from a time, and go on as it grows.

The shim tells followers over its socket that there is more, so nothing looks twice for nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

from kubelearn.api.cri import LogLine
from kubelearn.kit.clock import parse


def parse_line(line: bytes) -> LogLine:
    """`TIME STREAM F|P TEXT`; a whole line's text ends with a newline."""
    at, stream, tag, text = line.rstrip(b"\n").split(b" ", 3)
    return LogLine(
        at.decode(),
        "stderr" if stream == b"stderr" else "stdout",
        text + b"\n" if tag == b"F" else text,
    )


def moment(at: str) -> float:
    """Seconds since the epoch; nanoseconds are cut to the microseconds that datetime has."""
    return parse(at[:26] + "Z").timestamp()


def read_past(folder: Path, tail: int, since: float) -> tuple[list[LogLine], IO[bytes] | None]:
    """The lines so far, and the open file behind the last of them. Blocking."""
    lines: list[bytes] = []
    with contextlib.suppress(FileNotFoundError):
        lines = (folder / "log.1").read_bytes().splitlines(keepends=True)
    try:
        file = (folder / "log").open("rb")
    except FileNotFoundError:
        return [], None
    lines += list(whole_lines(file))
    found = (parse_line(line) for line in lines)
    kept = [line for line in found if not since or moment(line.at) >= since]
    return (list(deque(kept, tail)) if tail >= 0 else kept), file


def whole_lines(file: IO[bytes]) -> Iterator[bytes]:
    """From here to the end of the file; a line still being written stays unread."""
    while line := file.readline():
        if not line.endswith(b"\n"):
            file.seek(-len(line), os.SEEK_CUR)
            return
        yield line


async def connect(folder: Path, mode: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """The shim's socket, in `mode` (`a`ttach, `f`ollow); None when the container does not run."""
    if not (folder / "sock").exists():
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Paths of sockets may have 108 characters only; Linux lets us go through the descriptor.
        path = f"/proc/self/fd/{descriptor}/sock" if sys.platform == "linux" else f"{folder}/sock"
        raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        raw.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(raw, path)
        except OSError:
            raw.close()
            return None
    finally:
        os.close(descriptor)
    reader, writer = await asyncio.open_unix_connection(sock=raw)
    writer.write(mode)
    return reader, writer


def frame(channel: int, data: bytes) -> bytes:
    return struct.pack("!BI", channel, len(data)) + data


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
    """None at the end."""
    try:
        channel, size = struct.unpack("!BI", await reader.readexactly(5))
        return channel, await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def read(folder: Path, follow: bool, tail: int, since: float) -> AsyncIterator[LogLine]:
    """What `RuntimeService.logs` promises."""
    connection = await connect(folder, b"f") if follow else None
    lines, file = await asyncio.to_thread(read_past, folder, tail, since)
    try:
        for line in lines:
            yield line
        while connection is not None and file is not None:
            more = await connection[0].read(4096)
            grown, file = await asyncio.to_thread(_read_on, folder, file)
            for line in grown:
                yield line
            if not more:
                return
    finally:
        if file is not None:
            file.close()
        if connection is not None:
            connection[1].close()


def _read_on(folder: Path, file: IO[bytes]) -> tuple[list[LogLine], IO[bytes]]:
    """What was added; goes over to the new file when the shim has turned the old one over."""
    found = [parse_line(line) for line in whole_lines(file)]
    with contextlib.suppress(FileNotFoundError):
        if (folder / "log").stat().st_ino != os.fstat(file.fileno()).st_ino:
            found += [parse_line(line) for line in whole_lines(file)]
            file.close()
            file = (folder / "log").open("rb")
            found += [parse_line(line) for line in whole_lines(file)]
    return found, file
