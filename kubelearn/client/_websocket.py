"""WebSockets of the HTTP transport, on aiohttp; imported only when one is opened (exec, attach, port-forward)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult

import aiohttp

from kubelearn.api.errors import ApiError
from kubelearn.client.rest import error_of
from kubelearn.client.transport import Response, TransportError

_MAX_FRAME = 16 * 1024 * 1024


class AiohttpWebSocket:
    """`transport.WebSocket` on aiohttp's."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    @property
    def subprotocol(self) -> str:
        return self._socket.protocol or ""

    async def send(self, data: bytes) -> None:
        try:
            await self._socket.send_bytes(data)
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(f"the connection broke off: {error}") from error

    async def receive(self) -> bytes | None:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            data: bytes = message.data
            return data
        if message.type is aiohttp.WSMsgType.TEXT:
            text: str = message.data
            return text.encode()
        if message.type is aiohttp.WSMsgType.ERROR:
            raise TransportError(f"the connection broke off: {message.data}")
        return None

    async def close(self) -> None:
        await self._socket.close()


def new_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(raise_for_status=_refused)


async def _refused(response: aiohttp.ClientResponse) -> None:
    """aiohttp shows an answer that is no upgrade here, with its body still to be read."""
    if response.status >= 400:
        raise await error_of(Response(response.status, dict(response.headers), await response.read()))


async def connect(
    session: aiohttp.ClientSession,
    url: SplitResult,
    target: str,
    headers: Mapping[str, str],
    protocols: tuple[str, ...],
    context: ssl.SSLContext | None,
    server_name: str,
) -> AiohttpWebSocket:
    """Raises ApiError when the server answers with a Status, TransportError when there is no answer."""
    from yarl import URL

    address = URL(f"{url.scheme}://{url.netloc}{target}", encoded=True)
    try:
        socket = await session.ws_connect(
            address,
            protocols=protocols,
            headers=headers,
            max_msg_size=_MAX_FRAME,
            heartbeat=30,
            ssl=context or True,
            server_hostname=(server_name or None) if context else None,
        )
    except ApiError:
        raise
    except aiohttp.WSServerHandshakeError as error:
        raise ApiError(error.status, "", f"the server refused the WebSocket: {error.message}") from error
    except (aiohttp.ClientError, OSError) as error:
        raise TransportError(f"{url.scheme}://{url.netloc}: {error}") from error
    return AiohttpWebSocket(socket)
