"""The seam between client and server: a request, a response, and the way one becomes the other.

HTTP and in-process are the two transports; the API server's core answers the same `Request` either way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(slots=True)
class Request:
    """`query` keeps repeated parameters (`command=sh&command=-c`); header names are in lower case."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def param(self, name: str, default: str = "") -> str:
        return next((v for k, v in self.query if k == name), default)

    def params(self, name: str) -> list[str]:
        return [v for k, v in self.query if k == name]


@dataclass(slots=True)
class Response:
    """Either a whole `body` or a `stream` of chunks (a watch gives one JSON line per chunk; close it when done)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None


class WebSocket(Protocol):
    """A connected WebSocket; `receive` gives None when the peer has closed."""

    @property
    def subprotocol(self) -> str: ...
    async def send(self, data: bytes) -> None: ...
    async def receive(self) -> bytes | None: ...
    async def close(self) -> None: ...


class Transport(Protocol):
    """Raises `TransportError` when no answer came; an answer of any status is a Response."""

    async def send(self, request: Request) -> Response: ...
    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        """Raises ApiError when the server answers with a Status instead of the upgrade."""
        ...

    async def close(self) -> None: ...


class TransportError(Exception):
    """The server could not be reached, or the connection broke before an answer."""
