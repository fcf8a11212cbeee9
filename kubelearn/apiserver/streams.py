"""From the API server to kubelets and pods: logs, exec, attach, port-forward and the proxy subresources.

A WebSocket towards the client is joined to one towards the kubelet, frame by frame, with the same subprotocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING

import aiohttp
import orjson
from aiohttp import WSCloseCode, WSMsgType, web
from yarl import URL

from kubelearn.api import errors
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import spdy
from kubelearn.client.transport import Request, Response
from kubelearn.kit.tasks import Tasks

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

_NODES = Resource("", "v1", "Node", "nodes", "node", False)
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_PROTOCOLS = {
    "exec": ("v5.channel.k8s.io", "v4.channel.k8s.io"),
    "attach": ("v5.channel.k8s.io", "v4.channel.k8s.io"),
    "portforward": ("SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io", "portforward.k8s.io"),
}
_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade", "host", "content-length", "authorization",
}  # fmt: skip
_ONLY_THE_CLIENTS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_CONNECT_SECONDS = 10.0
_MAX_FRAME = 16 * 1024 * 1024


class Outbound:
    """The server's own HTTP client towards kubelets and pods, made when first used."""

    def __init__(self, dial: Callable[[str, int], tuple[str, int]], kubelet_ssl: ssl.SSLContext | None) -> None:
        self._dial, self._ssl = dial, kubelet_ssl
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=False)
        return self._session

    @property
    def kubelet_ssl(self) -> ssl.SSLContext | bool:
        return self._ssl if self._ssl is not None else True

    def url(self, scheme: str, host: str, port: int, path: str, query: list[tuple[str, str]]) -> URL:
        address, number = self._dial(host, port)
        return URL.build(scheme=scheme, host=address, port=number, path=path, query=query)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def container_of(pod: Obj, asked: str) -> str:
    """The container a log or exec is about; raises ApiError 400 when that is not clear."""
    name = pod["metadata"]["name"]
    known = [c["name"] for c in pod["spec"]["containers"]]
    others = [c["name"] for key in ("initContainers", "ephemeralContainers") for c in pod["spec"].get(key) or ()]
    if asked:
        if asked not in known + others:
            raise errors.bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    chosen = pod["metadata"].get("annotations", {}).get(_DEFAULT_CONTAINER, "")
    if chosen in known:
        return str(chosen)
    if len(known) == 1:
        return str(known[0])
    text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(known)}]"
    if others:
        text += f" or one of the init containers: [{' '.join(others)}]"
    raise errors.bad_request(text)


async def _kubelet(server: ApiServer, pod: Obj) -> tuple[str, int]:
    """Address and port of the kubelet of the pod's node."""
    node_name = pod["spec"].get("nodeName", "")
    if not node_name:
        raise errors.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    return kubelet_address(await server.read(_NODES, "", node_name))


def kubelet_address(node: Obj) -> tuple[str, int]:
    """Raises ApiError 500 for a node that has not said where it is."""
    status = node.get("status", {})
    addresses = {a["type"]: a["address"] for a in status.get("addresses", ())}
    port = status.get("daemonEndpoints", {}).get("kubeletEndpoint", {}).get("Port", 10250)
    if "InternalIP" not in addresses:
        raise errors.internal(f"no preferred addresses found; known addresses: {sorted(addresses.values())}")
    return addresses["InternalIP"], int(port)


async def pod_log(server: ApiServer, request: Request, pod: Obj) -> Response:
    """The kubelet's containerLogs, streamed. Raises ApiError."""
    container = container_of(pod, request.param("container"))
    if not pod["spec"].get("nodeName"):
        return Response(200, {"content-type": "text/plain"})
    host, port = await _kubelet(server, pod)
    about = pod["metadata"]
    path = f"/containerLogs/{about['namespace']}/{about['name']}/{container}"
    query = [(k, v) for k, v in request.query if k != "container"]
    url = server.outbound.url("https", host, port, path, query)
    try:
        answer = await server.outbound.session.get(
            url, ssl=server.outbound.kubelet_ssl, headers={"Accept-Encoding": "identity"}
        )
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise errors.internal(f'Get "https://{host}:{port}{path}": {error}') from error
    if answer.status >= 400:
        async with answer:
            text = _message(await answer.text())
        raise errors.internal(text) if answer.status == 500 else _refusal(answer.status, text)
    return Response(200, {"content-type": "text/plain"}, stream=_body(answer))


def _refusal(status: int, text: str) -> errors.ApiError:
    reason = {400: "BadRequest", 403: "Forbidden", 404: "NotFound"}.get(status, "InternalError")
    return errors.ApiError(status, reason, text)


def _message(text: str) -> str:
    """A refusal's words, out of a Status if it is one."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text.strip()
    return str(found.get("message", "")) if isinstance(found, dict) else text.strip()


async def _body(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.content.iter_any():
            yield piece
    except aiohttp.ClientError:
        return  # the kubelet went away; what came so far is the answer
    finally:
        answer.close()


async def proxy(server: ApiServer, request: Request, host: str, port: int, path: str) -> Response:
    """Any request, sent on to a pod; raises ApiError 503 when the pod cannot be reached."""
    headers = {k: v for k, v in request.headers.items() if k not in _HOP}
    url = server.outbound.url("http", host, port, path, request.query)
    try:
        answer = await server.outbound.session.request(
            request.method, url, headers=headers, data=request.body or None, allow_redirects=False,
            skip_auto_headers=_ONLY_THE_CLIENTS,
        )  # fmt: skip
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise errors.service_unavailable(f"error trying to reach service: {error}") from error
    sent: dict[str, str] = {}
    for name in {k.lower() for k in answer.headers} - _HOP:
        sent[name] = "\n".join(answer.headers.getall(name))  # the edge makes one line of each
    if "location" in sent:
        sent["location"] = _moved(sent["location"], url, request.path.removesuffix(path.removeprefix("/")))
    if request.method == "HEAD" or answer.status in (204, 304):
        answer.release()
        return Response(answer.status, sent)
    return Response(answer.status, sent, stream=_body(answer))


def _moved(location: str, url: URL, prefix: str) -> str:
    """A redirect within the pod leads back through the proxy."""
    to = URL(location)
    if to.absolute and to.origin() == url.origin():
        to = to.relative()
    return prefix.rstrip("/") + str(to) if not to.absolute and to.raw_path.startswith("/") else location


async def connect_pod(server: ApiServer, request: web.Request, pod: Obj, subresource: str) -> web.StreamResponse:
    """exec, attach and portforward over WebSocket, or SPDY for older clients. Raises ApiError before the upgrade."""
    about = pod["metadata"]
    path = f"/portForward/{about['namespace']}/{about['name']}"
    if subresource != "portforward":
        container = container_of(pod, request.query.get("container", ""))
        path = f"/{subresource}/{about['namespace']}/{about['name']}/{container}"
    host, port = await _kubelet(server, pod)
    query = [(k, v) for k, v in request.query.items() if k != "container"]
    url = server.outbound.url("https", host, port, path, query)
    if spdy.is_asked(request):
        # kubectl before 1.31; a later one when its WebSocket was refused, which shows what it is told the second time.
        agreed = spdy.agree(request, subresource)
        upstream = await _dialled(server, url, spdy.UPSTREAM[subresource])
        try:
            return await spdy.serve(request, upstream, subresource, agreed)
        finally:
            await upstream.close()
    if "websocket" not in request.headers.get("Upgrade", "").lower():
        raise errors.bad_request("unable to upgrade: neither WebSocket nor SPDY/3.1 is asked for")
    given = ",".join(request.headers.getall("Sec-WebSocket-Protocol", []))
    wanted = [p.strip() for p in given.split(",")]
    protocols = [p for p in wanted if p in _PROTOCOLS[subresource]]
    if not protocols:
        raise errors.bad_request(f"none of the subprotocols {wanted} is served")
    upstream = await _dialled(server, url, protocols)
    downstream = web.WebSocketResponse(protocols=[upstream.protocol or protocols[0]], max_msg_size=_MAX_FRAME)
    try:
        await downstream.prepare(request)
        await _join(downstream, upstream)
    finally:
        await upstream.close(code=_close_code(downstream.close_code))
        await downstream.close(code=_close_code(upstream.close_code))
    return downstream


def _close_code(seen: int | None) -> int:
    """What to close the other side with: some codes say only how a connection was found and must not be sent."""
    unsent = (None, 0, 1005, WSCloseCode.ABNORMAL_CLOSURE, 1015)
    return WSCloseCode.OK if seen in unsent or seen is None else seen


async def _dialled(server: ApiServer, url: URL, protocols: Iterable[str]) -> aiohttp.ClientWebSocketResponse:
    """The session with the kubelet; raises ApiError with the reason that it gives for refusing."""
    try:
        return await server.outbound.session.ws_connect(
            url, protocols=protocols, ssl=server.outbound.kubelet_ssl, max_msg_size=_MAX_FRAME
        )
    except aiohttp.WSServerHandshakeError as error:
        raise await _why(server, url) or _refusal(error.status, error.message) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise errors.internal(f"error dialing backend: {error}") from error


async def _why(server: ApiServer, url: URL) -> errors.ApiError | None:
    """Why the kubelet refuses an upgrade: a plain GET gets the same refusal with its text, and runs nothing.
    None if all it misses is the upgrade."""
    try:
        async with server.outbound.session.get(
            url, ssl=server.outbound.kubelet_ssl, headers={"Accept-Encoding": "identity"}
        ) as answer:
            text = _message(await answer.text())
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return errors.internal(f"error dialing backend: {error}")
    if answer.status < 400 or (answer.status == 400 and "upgrade" in text.lower()):
        return None
    return _refusal(answer.status, text)


async def _join(one: web.WebSocketResponse, other: aiohttp.ClientWebSocketResponse) -> None:
    """Relay both ways until either side closes."""
    async with Tasks("relay") as tasks:
        ways = {tasks.start(_relay(other, one), "down"), tasks.start(_relay(one, other), "up")}
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)


_Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _relay(source: _Socket, to: _Socket) -> None:
    with contextlib.suppress(ConnectionError):
        async for message in source:
            if message.type is WSMsgType.BINARY:
                await to.send_bytes(message.data)
            elif message.type is WSMsgType.TEXT:
                await to.send_str(message.data)
