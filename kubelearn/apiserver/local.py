"""The in-process transport: a component's requests without the socket, with the same authorisation and tracing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelearn.client.transport import Request, Response, TransportError, WebSocket

if TYPE_CHECKING:
    from kubelearn.apiserver.auth import User
    from kubelearn.apiserver.server import ApiServer


class LocalTransport:
    """`client.transport.Transport` as one fixed user."""

    def __init__(self, server: ApiServer, user: User, user_agent: str) -> None:
        self._server, self._user, self._agent = server, user, user_agent

    async def send(self, request: Request) -> Response:
        request.headers = {**request.headers, "user-agent": self._agent}
        return await self._server.handle(request, self._user)

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        raise TransportError("the in-process transport has no WebSockets: no component needs one")

    async def close(self) -> None:
        """Nothing is held open."""
