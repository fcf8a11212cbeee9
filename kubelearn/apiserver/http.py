"""The edge towards the network: TLS, HTTP and WebSockets on aiohttp. Turns a connection into a User and a Request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from typing import Any, cast

import orjson
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from kubelearn.api import errors
from kubelearn.api.errors import ApiError
from kubelearn.api.rbac import Attributes
from kubelearn.apiserver import codec, deadline, rest, streams
from kubelearn.apiserver.auth import ANONYMOUS, User
from kubelearn.apiserver.flow import Flow, width_of
from kubelearn.apiserver.routing import Route, is_resource
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.transport import Request, Response
from kubelearn.kit.tasks import Tasks

log = logging.getLogger(__name__)

MAX_BODY = 3 * 1024 * 1024
#: Answers above this size are compressed for clients that take it (as kube-apiserver does).
_GZIP_FROM = 128 * 1024
#: How long a stream's client may leave what was sent to it untaken.
_STALLED_SECONDS = 30.0
#: Go's limit for all headers together, here for each.
_MAX_HEADER = 1 << 20
_UPGRADES = ("exec", "attach", "portforward")


class Site:
    """A running server; `port` is the one of its first listener."""

    def __init__(self, server: ApiServer, context: ssl.SSLContext) -> None:
        self._edge = _Edge(server)
        self._context = context
        self._runner = web.ServerRunner(
            _Server(
                self._edge.handle,
                access_log=None,
                max_field_size=_MAX_HEADER,
                max_line_size=_MAX_HEADER,
                auto_decompress=False,  # kube-apiserver takes a body as it comes
            ),
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


class _Server(web.Server):
    """With connections that answer what is no HTTP as Go's server does, and keep tracebacks of it out of the log."""

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        gone = isinstance(exc, ConnectionError)  # in the middle of its own request
        if status != 400 and not gone:
            return super().handle_error(request, status, exc, message)
        log.debug("malformed request from %s: %s", request.remote, exc)
        long = isinstance(exc, LineTooLong) or "Too many headers" in (message or "")
        text = "431 Request Header Fields Too Large" if long else "400 Bad Request"
        answer = web.Response(status=431 if long else 400, text=text)
        answer.force_close()
        return answer


class _Edge:
    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._flow = Flow()
        self._writes = Tasks("http")

    async def handle(self, received: web.BaseRequest) -> web.StreamResponse:
        # The low-level server makes BaseRequests; nothing here or in a mounted handler uses what they lack.
        request = cast(web.Request, received)
        try:
            user = self._acting_as(request, await self._user(request))
            for prefix, handler in self._server.mounts.items():
                if request.path.startswith(prefix):
                    return await handler(request, user)
            if (
                request.headers.get("Upgrade")
                and is_resource(request.path)
                and request.path.rsplit("/", 1)[-1] in _UPGRADES
            ):
                return await self._upgrade(request, user)
            return await self._respond(request, await _read(request), user)
        except ApiError as error:
            answer = _refusal(error)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as error:  # of the edge itself: the server behind it answers for its own
            if request.writer.output_size:
                raise  # within an answer there is no other
            log.exception("%s %s failed", request.method, request.path)
            answer = _refusal(errors.internal(repr(error)))
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

    def _acting_as(self, request: web.BaseRequest, user: User) -> User:
        """Whom the user asks to be (`kubectl --as`); himself by default. Raises ApiError 403, 400."""
        groups = [_text(group) for group in request.headers.getall("Impersonate-Group", [])]
        name = _text(request.headers.get("Impersonate-User", ""))
        if not name:
            if groups:
                raise errors.bad_request(f"requested impersonation of groups {groups} without impersonating a user")
            return user
        return self._server.impersonate(user, {"impersonate-user": name, "impersonate-group": "\n".join(groups)})

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


def _refusal(error: ApiError) -> Response:
    return Response(error.code, {"content-type": "application/json", **error.headers}, orjson.dumps(error.status()))


def _text(header: str) -> str:
    """A header's value without the bytes that are no UTF-8, which aiohttp hides in surrogates."""
    return header.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _head(request: web.BaseRequest, body: bytes = b"") -> Request:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers.setdefault(name.lower(), _text(value))  # the first counts, as with Go's Header.Get
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
        except web.RequestPayloadError as error:
            raise errors.bad_request(f"error reading the body: {error}") from error
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
