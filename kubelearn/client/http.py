"""The transport over HTTP/1.1: h11 on asyncio streams, kept-alive connections, streamed watches, WebSockets.

Written on h11 because the command line pays for every import: aiohttp is loaded only when a WebSocket is opened.
Connections are kept and used again; one that the server has closed meanwhile is noticed before use, and a read that
fails on a kept connection before any answer is sent once more on a new one. Writes are never repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import h11

from kubelearn.client._connection import Connection
from kubelearn.client.transport import Request, Response, TransportError, WebSocket

if TYPE_CHECKING:
    import aiohttp

TokenSource = Callable[[], Awaitable[str]]

#: Methods that may be sent twice without harm.
_REPEATABLE = {"GET", "HEAD", "OPTIONS"}
_TRUE = {"1", "true", "True"}
_MAX_IDLE = 16


class HttpTransport:
    """`server` is a URL and may have a path prefix. `token` is sent as a bearer token; a TokenSource is asked before
    each request. `timeout` bounds connecting and each wait for an answer, not a watch's silence."""

    def __init__(
        self,
        server: str,
        ssl_context: ssl.SSLContext | None = None,
        token: str | TokenSource = "",
        *,
        server_name: str = "",
        connect_timeout: float = 10.0,
        timeout: float = 60.0,
        idle_seconds: float = 30.0,
    ) -> None:
        self.server = server.rstrip("/")
        self._url = _parse(self.server)
        self._ssl = None
        if self._url.scheme == "https":
            self._ssl = ssl_context or ssl.create_default_context()
        self._token = token
        self._server_name = server_name
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._idle_seconds = idle_seconds
        self._idle: list[Connection] = []
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    @property
    def _port(self) -> int:
        return self._url.port or (443 if self._url.scheme == "https" else 80)

    async def send(self, request: Request) -> Response:
        """A watch or a followed log is answered as a stream, anything else whole."""
        wanted = ("watch", "follow")
        return await self._exchange(request, any(k in wanted and v in _TRUE for k, v in request.query))

    async def stream(self, request: Request) -> Response:
        """Like `send`, but the answer is always a stream (unless it is an error)."""
        return await self._exchange(request, True)

    async def _exchange(self, request: Request, streamed: bool) -> Response:
        head = await self._head(request)
        while True:
            connection, kept = await self._connection()
            try:
                return await self._once(connection, head, request.body, streamed)
            except _NoAnswer as error:
                if kept and request.method in _REPEATABLE:
                    continue
                raise TransportError(f"{self.server}: {error}") from error

    async def _once(self, connection: Connection, head: h11.Request, body: bytes, streamed: bool) -> Response:
        keep = False
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    await connection.send(head, body)
                    answer = await connection.response()
                except (OSError, EOFError, h11.ProtocolError) as error:
                    raise _NoAnswer(_text(error)) from error
                headers = {k.decode(): v.decode("latin-1") for k, v in answer.headers}
                if streamed and answer.status_code < 400:
                    keep = True
                    return Response(answer.status_code, headers, stream=self._chunks(connection))
                data = await self._whole(connection)
            keep = connection.reusable()
            if keep:
                self._put_back(connection)
            return Response(answer.status_code, headers, data)
        except TimeoutError as error:
            raise TransportError(f"{self.server}: no answer within {self._timeout:g}s") from error
        finally:
            if not keep:
                connection.abort()

    async def _whole(self, connection: Connection) -> bytes:
        parts = []
        try:
            while (chunk := await connection.data()) is not None:
                parts.append(chunk)
        except (OSError, EOFError, h11.ProtocolError) as error:
            raise TransportError(f"{self.server}: the connection broke off: {_text(error)}") from error
        return b"".join(parts)

    async def _chunks(self, connection: Connection) -> AsyncIterator[bytes]:
        finished = False
        try:
            while (chunk := await connection.data()) is not None:
                yield chunk
            finished = connection.reusable()
        except (OSError, EOFError, h11.ProtocolError) as error:
            raise TransportError(f"{self.server}: the connection broke off: {_text(error)}") from error
        finally:
            if finished:
                self._put_back(connection)
            else:
                connection.abort()

    async def _head(self, request: Request) -> h11.Request:
        headers = [("host", self._url.netloc.rpartition("@")[2]), *request.headers.items()]
        headers += await self._authorization()
        if request.body or request.method in {"POST", "PUT", "PATCH"}:
            headers.append(("content-length", str(len(request.body))))
        encoded = [(k.encode("ascii"), v.encode("latin-1", "replace")) for k, v in headers]
        return h11.Request(method=request.method, target=self._target(request), headers=encoded)

    async def _authorization(self) -> list[tuple[str, str]]:
        token = self._token if isinstance(self._token, str) else await self._token()
        return [("authorization", f"Bearer {token}")] if token else []

    def _target(self, request: Request) -> str:
        target = self._url.path + quote(request.path, safe="/:@!$&'()*+,;=~%")
        return f"{target}?{urlencode(request.query)}" if request.query else target

    async def _connection(self) -> tuple[Connection, bool]:
        """An idle connection that still lives, or a new one; True for a kept one."""
        self._check_open()
        while self._idle:
            found = self._idle.pop()
            if found.alive() and time.monotonic() - found.idle_since < self._idle_seconds:
                return found, True
            found.abort()
        return await self._connect(), False

    def _check_open(self) -> None:
        if self._closed:
            raise TransportError(f"{self.server}: the client is closed")

    async def _connect(self) -> Connection:
        host = self._url.hostname or ""
        name = (self._server_name or host) if self._ssl else None
        try:
            async with asyncio.timeout(self._connect_timeout):
                reader, writer = await asyncio.open_connection(host, self._port, ssl=self._ssl, server_hostname=name)
        except TimeoutError as error:
            raise TransportError(f"{self.server}: no connection within {self._connect_timeout:g}s") from error
        except OSError as error:  # ssl.SSLError is one too
            raise TransportError(f"{self.server}: {_text(error)}") from error
        _keep_alive(writer.get_extra_info("socket"))
        return Connection(reader, writer)

    def _put_back(self, connection: Connection) -> None:
        if self._closed or len(self._idle) >= _MAX_IDLE:
            connection.abort()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        from kubelearn.client import _websocket

        self._check_open()
        if self._session is None:
            self._session = _websocket.new_session()
        headers = dict([*request.headers.items(), *await self._authorization()])
        return await _websocket.connect(
            self._session, self._url, self._target(request), headers, protocols, self._ssl, self._server_name
        )

    async def close(self) -> None:
        """Close idle connections; streams still open are their readers' to close."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()
        if self._session is not None:
            await self._session.close()
            self._session = None


class _NoAnswer(Exception):
    """The connection failed before the status line."""


def _parse(server: str) -> SplitResult:
    url = urlsplit(server if "://" in server else f"http://{server}")
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError(f"not a server URL: {server}")
    return url


def _text(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and (error.errno or 0) > 0:
        return os.strerror(error.errno or 0)  # asyncio words its own, without the reason
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _keep_alive(sock: Any) -> None:
    """A peer that vanished without a word (a paused container) must end a silent watch within a minute."""
    options = [("SO_KEEPALIVE", socket.SOL_SOCKET, 1)]
    options += [
        (n, socket.IPPROTO_TCP, v) for n, v in (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
    ]
    options.append(("TCP_NODELAY", socket.IPPROTO_TCP, 1))
    for name, level, value in options:
        if hasattr(socket, name):
            with contextlib.suppress(OSError):
                sock.setsockopt(level, getattr(socket, name), value)
