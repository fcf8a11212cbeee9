"""The edge towards the network: TLS, HTTP and WebSockets on aiohttp. Turns a connection into a User and a Request."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any, cast

import orjson
from aiohttp import web

from kubelearn.api import errors
from kubelearn.api.errors import ApiError
from kubelearn.api.rbac import Attributes
from kubelearn.apiserver import codec, deadline, rest, streams
from kubelearn.apiserver.auth import ANONYMOUS, User
from kubelearn.apiserver.flow import Flow, width_of
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.transport import Request, Response
from kubelearn.kit.tasks import Tasks

MAX_BODY = 3 * 1024 * 1024
#: Answers above this size are compressed for clients that take it (as kube-apiserver does).
_GZIP_FROM = 128 * 1024
#: How long a stream's client may leave what was sent to it untaken.
_STALLED_SECONDS = 30.0
_UPGRADES = ("exec", "attach", "portforward")


class Site:
    """A running server; `port` is the one of its first listener."""

    def __init__(self, server: ApiServer, context: ssl.SSLContext) -> None:
        self._edge = _Edge(server)
        self._context = context
        self._runner = web.ServerRunner(
            web.Server(self._edge.handle, access_log=None, max_field_size=1 << 16, max_line_size=1 << 16),
            handler_cancellation=True,
            shutdown_timeout=1.0,
        )
        self.port = 0

    async def start(self) -> None:
        await self._runner.setup()

    async def add_listener(self, host: str, port: int) -> None:
        """Raises OSError when the address cannot be had."""
        site = web.TCPSite(self._runner, host, port, ssl_context=self._context, reuse_address=True)
        await site.start()
        self.port = self.port or self._runner.addresses[0][1]

    async def close(self) -> None:
        await self._runner.cleanup()
        await self._edge.close()


async def serve(server: ApiServer, listeners: list[tuple[str, int]], context: ssl.SSLContext) -> Site:
    """Listen on all of `listeners`; raises OSError."""
    site = Site(server, context)
    await site.start()
    try:
        for host, port in listeners:
            await site.add_listener(host, port)
    except OSError:
        await site.close()
        raise
    return site


class _Edge:
    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._flow = Flow()
        self._writes = Tasks("http")

    async def handle(self, received: web.BaseRequest) -> web.StreamResponse:
        # The low-level server makes BaseRequests; nothing here or in a mounted handler uses what they lack.
        request = cast(web.Request, received)
        try:
            user = await self._user(request)
            if "Impersonate-User" in request.headers:
                groups = "\n".join(request.headers.getall("Impersonate-Group", []))
                name = request.headers["Impersonate-User"]
                user = self._server.impersonate(user, {"impersonate-user": name, "impersonate-group": groups})
            for prefix, handler in self._server.mounts.items():
                if request.path.startswith(prefix):
                    return await handler(request, user)
            if request.headers.get("Upgrade") and request.path.rsplit("/", 1)[-1] in _UPGRADES:
                return await self._upgrade(request, user)
            return await self._respond(request, await _read(request), user)
        except ApiError as error:
            answer = Response(
                error.code, {"content-type": "application/json", **error.headers}, orjson.dumps(error.status())
            )
        return await _send(request, answer)

    async def close(self) -> None:
        await self._writes.close()

    async def _respond(self, received: web.BaseRequest, request: Request, user: User) -> web.StreamResponse:
        """In its time, and in a seat of the user's until all is sent; what runs long needs neither."""
        if deadline.runs_long(request):
            return await _send(received, await self._server.handle(request, user))
        seconds = deadline.seconds(request)
        if "system:masters" in user.groups:
            return await _send(received, await self._within(seconds, request, user))
        async with self._flow.admit(user.name, await width_of(self._server, request)):
            return await _send(received, await self._within(seconds, request, user))

    async def _within(self, seconds: float, request: Request, user: User) -> Response:
        """A write that has begun goes on to its end, whether or not somebody still waits for the answer: what is
        stored and what the server knows of it must not part ways. Raises ApiError 504."""
        try:
            async with asyncio.timeout(seconds):
                if request.method in ("GET", "HEAD"):
                    return await self._server.handle(request, user)
                writing = self._writes.start(self._server.handle(request, user), "write")
                return await asyncio.shield(writing)
        except TimeoutError:
            raise deadline.exceeded() from None

    async def _user(self, request: web.BaseRequest) -> User:
        """By client certificate, else by bearer token, else anonymous; a bad token is 401."""
        header = request.headers.get("Authorization", "")
        if header:
            kind, _, token = header.partition(" ")
            user = await self._server.authenticate(token.strip()) if kind.lower() == "bearer" else None
            if user is None:
                raise errors.unauthorized()
            return user
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        if not certificate:
            return ANONYMOUS
        name, groups = "", ["system:authenticated"]
        for part in certificate["subject"]:
            for key, value in part:
                if key == "commonName":
                    name = value
                elif key == "organizationName":
                    groups.append(value)
        return User(name, tuple(groups))

    async def _upgrade(self, request: web.Request, user: User) -> web.StreamResponse:
        """exec, attach and port-forward: relayed to the kubelet of the pod's node."""
        route = Route.of(_head(request))
        asked = Attributes("create", "", route.group, route.plural, route.subresource, route.namespace, route.name)
        self._server.authorize(user, asked)
        kind = self._server.registry.find(route.group, route.version, route.plural)
        if kind is None or route.subresource not in kind.resource.subresources:
            raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
        pod = codec.decode(await rest.read(self._server, kind, route.namespace, route.name))
        return await streams.connect_pod(self._server, request, pod, route.subresource)


def _head(request: web.BaseRequest, body: bytes = b"") -> Request:
    headers = {k.lower(): v for k, v in request.headers.items()}
    return Request(request.method, request.path, list(request.query.items()), headers, body)


async def _read(request: web.BaseRequest) -> Request:
    """The whole request; raises ApiError 413 for a body that is too large, 504 for one that does not come."""
    if (request.content_length or 0) > MAX_BODY:
        raise _too_large()
    body = b""
    if request.can_read_body:
        try:
            async with asyncio.timeout(deadline.MAXIMUM):
                body = await _body(request)
        except TimeoutError:
            raise deadline.exceeded() from None
    return _head(request, body)


async def _body(request: web.BaseRequest) -> bytes:
    pieces, size = [], 0
    async for piece in request.content.iter_any():
        size += len(piece)
        if size > MAX_BODY:
            raise _too_large()
        pieces.append(piece)
    return b"".join(pieces)


def _too_large() -> ApiError:
    return errors.request_entity_too_large(f"Request entity too large: limit is {MAX_BODY}")


async def _send(request: web.BaseRequest, answer: Response) -> web.StreamResponse:
    headers: Any = [(k, v) for k, value in answer.headers.items() for v in value.split("\n")]
    if answer.stream is None:
        body = b"" if request.method == "HEAD" else answer.body
        plain = web.Response(status=answer.status, headers=headers, body=body)
        if len(body) > _GZIP_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
            plain.enable_compression(web.ContentCoding.gzip)
        return plain
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        async for chunk in answer.stream:
            await _write(request, response, chunk)
        with contextlib.suppress(ConnectionError):
            await response.write_eof()
    except ConnectionError:
        pass  # the client has gone, or takes nothing; the stream is closed below
    finally:
        closer = getattr(answer.stream, "aclose", None)
        if closer is not None:
            await closer()
    return response


async def _write(request: web.BaseRequest, response: web.StreamResponse, chunk: bytes) -> None:
    """Raises ConnectionError when the client has taken nothing for too long: a watcher that sleeps is cut off, and
    lists again when it wakes."""
    try:
        async with asyncio.timeout(_STALLED_SECONDS):
            await response.write(chunk)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionError("the client takes nothing") from None
