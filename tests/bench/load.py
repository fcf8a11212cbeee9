"""Many kept-alive TLS connections from one asyncio process: what the benches of the API server drive it with."""

from __future__ import annotations

import asyncio
import ssl
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True)
class Target:
    """A server and the token to use there."""

    port: int
    tls: ssl.SSLContext
    token: str

    @classmethod
    def of(cls, folder: Path, port: int, token: str = "") -> Target:
        """Of a cluster's folder, as its administrator unless a token is given."""
        tls = ssl.create_default_context(cafile=str(folder / "pki" / "ca.crt"))
        return cls(port, tls, token or (folder / "pki" / "token").read_text().strip())


@dataclass(slots=True)
class Samples:
    """Seconds that each answer took, statuses counted, and how long all took together."""

    took: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    elapsed: float = 0.0

    def add(self, status: int, seconds: float) -> None:
        self.took.append(seconds)
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def __str__(self) -> str:
        rate = len(self.took) / self.elapsed if self.elapsed else 0.0
        odd = {status: count for status, count in self.statuses.items() if status >= 300}
        return f"{figures(self.took)}, {rate:7.0f}/s" + (f"  {odd}" if odd else "")


def figures(samples: Sequence[float]) -> str:
    """Median and 99th percentile in milliseconds."""
    last = sorted(samples)[max(0, int(len(samples) * 0.99) - 1)]
    return f"{statistics.median(samples) * 1e3:7.2f} ms, p99 {last * 1e3:7.2f} ms"


class Connection:
    """One request at a time; answers have a length or come in chunks."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> Connection:
        where = ("127.0.0.1", self._target.port)
        self._reader, self._writer = await asyncio.open_connection(*where, ssl=self._target.tls, limit=1 << 26)
        return self

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()

    async def send(
        self, method: str, path: str, body: object = None, content: str = "application/json"
    ) -> tuple[int, bytes]:
        status, headers = await self._begin(method, path, body, content)
        assert self._reader is not None
        return status, await self._reader.readexactly(int(headers["content-length"]))

    async def _begin(self, method: str, path: str, body: object, content: str) -> tuple[int, dict[str, str]]:
        assert self._writer is not None
        assert self._reader is not None
        data = b"" if body is None else orjson.dumps(body)
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._target.token}\r\n"
            f"Accept: application/json\r\nUser-Agent: bench\r\nContent-Type: {content}\r\n"
            f"Content-Length: {len(data)}\r\n\r\n"
        )
        self._writer.write(head.encode() + data)
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        return int(first.split()[1]), headers

    async def watch(self, path: str) -> AsyncIterator[bytes]:
        """The lines of a watch, each in a chunk of its own as the server writes them."""
        await self._begin("GET", path, None, "application/json")
        assert self._reader is not None
        while size := int(await self._reader.readline(), 16):
            yield await self._reader.readexactly(size)
            await self._reader.readexactly(2)


#: From a connection, the client's number and its count of requests so far to (status, body).
Request = Callable[[Connection, int, int], Awaitable[tuple[int, bytes]]]


async def run(target: Target, clients: int, each: int, request: Request) -> Samples:
    """`clients` at once, each sending `each` requests one after another."""
    connections = [await Connection(target).open() for _ in range(clients)]
    samples = Samples()

    async def client(number: int) -> None:
        for count in range(each):
            began = time.perf_counter()
            status, _ = await request(connections[number], number, count)
            samples.add(status, time.perf_counter() - began)

    began = time.perf_counter()
    try:
        await asyncio.gather(*(client(number) for number in range(clients)))
    finally:
        for connection in connections:
            connection.close()
    samples.elapsed = time.perf_counter() - began
    return samples
