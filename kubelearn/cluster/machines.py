"""The power switch of the nodes: `POST /machines/v1/NAME/stop` and its siblings, for administrators.

Not a Kubernetes API (a real cluster has no such thing for its machines): it is the engine's own, on the same port,
with the same certificates, because a failure drill must go round Kubernetes, not through it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from kubelearn.apiserver.auth import User
from kubelearn.cluster import engine_watch
from kubelearn.engines.base import Engine
from kubelearn.kit.errors import KubelearnError

PREFIX = "/machines/v1/"


class Machines:
    """Serves the drills on one engine's nodes, and `POST /machines/v1/`, which starts those that died without one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.actions: dict[str, Callable[[str], Awaitable[None]]] = {
            "start": self._start,
            "stop": engine.stop_node,
            "kill": engine.kill_node,
            "pause": engine.pause_node,
            "unpause": engine.unpause_node,
            "disconnect": engine.disconnect_node,
            "connect": engine.connect_node,
        }

    async def _start(self, name: str) -> None:
        """Whatever was done to it, undone: powered on, not paused, connected."""
        state = next((n.state for n in await self._engine.list_nodes() if n.name == name), "stopped")
        undo = {"paused": self._engine.unpause_node, "disconnected": self._engine.connect_node}
        await undo.get(state, self._engine.start_node)(name)

    async def handle(self, request: web.Request, user: User) -> web.StreamResponse:
        if "system:masters" not in user.groups:
            return web.json_response({"error": "only administrators may touch machines"}, status=403)
        try:
            return await self._handle(request)
        except KubelearnError as error:
            return web.json_response({"error": error.message, "hint": error.hint}, status=503)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        rest = request.path.removeprefix(PREFIX).strip("/")
        states = {n.name: n.state for n in await self._engine.list_nodes()}
        if not rest and request.method == "GET":
            return web.json_response(states)
        if not rest and request.method == "POST":
            return web.json_response(dict.fromkeys(await engine_watch.revive(self._engine), "running"))
        name, _, action = rest.partition("/")
        if name not in states:
            known = ", ".join(sorted(states)) or "none"
            return web.json_response({"error": f'no node "{name}"', "hint": f"nodes: {known}"}, status=404)
        if request.method != "POST" or action not in self.actions:
            return web.json_response({"error": f'cannot "{action}" a node'}, status=405)
        await self.actions[action](name)
        states = {n.name: n.state for n in await self._engine.list_nodes()}
        return web.json_response({name: states.get(name, "stopped")})
