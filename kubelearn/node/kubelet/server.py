"""The kubelet's HTTPS port, with a real kubelet's paths: logs, exec, attach, port-forward, pods, stats, health.

aiohttp is imported when the first connection comes: most agents never need it, and it weighs a third of one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from kubelearn.api.cri import Container, CriError, ExecSession, LogLine
from kubelearn.kit.clock import parse, rfc3339_micro, utc_now
from kubelearn.kit.tasks import Tasks
from kubelearn.node.kubelet.agent import Kubelet

if TYPE_CHECKING:
    from aiohttp import web

log = logging.getLogger(__name__)

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_CHUNK = 32768


class KubeletServer:
    """`start`, then `close`."""

    def __init__(self, kubelet: Kubelet, tasks: Tasks) -> None:
        self._kubelet = kubelet
        self._tasks = tasks
        self._server: asyncio.Server | None = None
        self._protocols: Callable[[], asyncio.BaseProtocol] | None = None

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        config = self._kubelet.config
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._protocol, config.bind_address, config.kubelet_port, ssl=config.server_tls()
        )

    def _protocol(self) -> asyncio.BaseProtocol:
        if self._protocols is None:
            from aiohttp import web

            self._protocols = web.Server(self._handle, access_log=None)
        return self._protocols()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._protocols is not None:
            await self._protocols.shutdown(0.1)  # type: ignore[attr-defined]

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        from aiohttp import web

        head, *rest = request.path.strip("/").split("/")
        try:
            if head == "healthz":
                return web.Response(text="ok")
            if head == "pods":
                pods = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": self._kubelet.pods()}
                return web.Response(body=orjson.dumps(pods), content_type="application/json")
            if head == "stats":
                return web.Response(body=orjson.dumps(await self._summary()), content_type="application/json")
            if head == "containerLogs" and len(rest) == 3:
                return await self._logs(request, *rest)
            if head in ("exec", "attach") and len(rest) == 3:
                return await self._session(request, head, *rest)
            if head == "portForward" and len(rest) == 2:
                return await self._port_forward(request, *rest)
        except CriError as error:
            return web.Response(status=404 if error.reason == "NotFound" else 500, text=error.message)
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        return web.Response(status=404, text="404 page not found\n")

    def _container(self, namespace: str, pod: str, name: str, *, previous: bool = False) -> Container:
        """Raises CriError with the kubelet's words."""
        found = self._pod(namespace, pod)
        lives = self._kubelet.state.pod(found["metadata"]["uid"]).of(name)
        if previous:
            if len(lives) < 2:
                text = f'previous terminated container "{name}" in pod "{pod}" not found'
                raise CriError("BadRequest", text)
            return lives[1]
        if not lives:
            text = f'container "{name}" in pod "{pod}" is waiting to start: {self._why_waiting(found, name)}'
            raise CriError("BadRequest", text)
        return lives[0]

    def _pod(self, namespace: str, name: str) -> dict[str, Any]:
        for pod in self._kubelet.pods():
            if (pod["metadata"]["namespace"], pod["metadata"]["name"]) == (namespace, name):
                return pod
        raise CriError("NotFound", f'pod "{name}" not found')

    @staticmethod
    def _why_waiting(pod: dict[str, Any], name: str) -> str:
        statuses = pod.get("status", {})
        every = [*statuses.get("containerStatuses", ()), *statuses.get("initContainerStatuses", ())]
        reasons = [
            s["state"]["waiting"].get("reason", "") for s in every if s["name"] == name and "waiting" in s["state"]
        ]
        return reasons[0] if reasons else "ContainerCreating"

    async def _summary(self) -> dict[str, Any]:
        """The parts of /stats/summary that we can measure: CPU and memory of each container, and of the kubelet."""
        at = rfc3339_micro(utc_now())
        found = {s.container_id: s for s in await self._kubelet.cri.stats()}
        pods = []
        for pod in self._kubelet.pods():
            meta = pod["metadata"]
            containers = [
                {
                    "name": c.name,
                    "cpu": {"time": at, "usageCoreNanoSeconds": int(found[c.id].cpu_seconds * 1e9)},
                    "memory": {"time": at, "workingSetBytes": found[c.id].memory_bytes},
                }
                for c in self._kubelet.state.pod(meta["uid"]).running()
                if c.id in found
            ]
            reference = {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}
            pods.append({"podRef": reference, "containers": containers})
        kubelet = {
            "name": "kubelet",
            "cpu": {"time": at, "usageCoreNanoSeconds": time.process_time_ns()},
            "memory": {"time": at, "workingSetBytes": _resident_bytes()},
        }
        return {"node": {"nodeName": self._kubelet.config.node, "systemContainers": [kubelet]}, "pods": pods}

    async def _logs(self, request: web.BaseRequest, namespace: str, pod: str, name: str) -> web.StreamResponse:
        from aiohttp import web

        query = request.query
        container = self._container(namespace, pod, name, previous=query.get("previous") == "true")
        follow = query.get("follow") == "true"
        lines = self._kubelet.cri.logs(
            container.id, follow=follow, tail=int(query.get("tailLines", -1)), since=_since(query)
        )
        limit = int(query["limitBytes"]) if "limitBytes" in query else None
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        if follow:
            await response.prepare(request)
        async with contextlib.aclosing(log_text(lines, query.get("timestamps") == "true", limit)) as texts:
            with contextlib.suppress(ConnectionError):
                async for text in texts:
                    if not response.prepared:
                        await response.prepare(request)
                    await response.write(text)
        if not response.prepared:
            await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await response.write_eof()
        return response

    async def _session(
        self, request: web.BaseRequest, kind: str, namespace: str, pod: str, name: str
    ) -> web.StreamResponse:
        from aiohttp import web

        container = self._container(namespace, pod, name)
        if container.state != "RUNNING":
            raise CriError("NotRunning", f"cannot {kind} in a stopped container; state is CONTAINER_{container.state}")
        if "websocket" not in request.headers.get("Upgrade", "").lower():
            return web.Response(status=400, text="unable to upgrade: this kubelet speaks WebSocket only")
        socket = web.WebSocketResponse(protocols=PROTOCOLS)
        await socket.prepare(request)
        with contextlib.suppress(ConnectionError):
            try:
                session = await self._open(kind, container, request.query)
            except CriError as error:
                await socket.send_bytes(b"\x03" + orjson.dumps(_broken(error)))
            else:
                await self._run(socket, kind, session)
            await socket.close()
        return socket

    async def _open(self, kind: str, container: Container, query: Any) -> ExecSession:
        tty = query.get("tty", "") in ("1", "true")
        stdin = (query.get("input") or query.get("stdin") or "") in ("1", "true")
        if kind == "exec":
            return await self._kubelet.cri.exec(container.id, query.getall("command", []), tty=tty, stdin=stdin)
        return await self._kubelet.cri.attach(container.id, tty=tty, stdin=stdin)

    async def _run(self, socket: web.WebSocketResponse, kind: str, session: ExecSession) -> None:
        try:
            async with Tasks(f"kubelet-{kind}") as tasks:
                tasks.start(_feed(socket, session), "stdin")
                await _relay(socket, session)
        finally:
            await session.close()

    async def _port_forward(self, request: web.BaseRequest, namespace: str, pod: str) -> web.StreamResponse:
        from aiohttp import web

        from kubelearn.node.kubelet import port_forward

        found = self._pod(namespace, pod)
        sandbox = self._kubelet.state.pod(found["metadata"]["uid"]).sandbox()
        if sandbox is None:
            phase = found.get("status", {}).get("phase", "Unknown")
            text = f"unable to forward port because pod is not running. Current status={phase}"
            raise CriError("NotRunning", text)
        query = request.query
        ports = [int(p) for value in query.getall("ports", query.getall("port", [])) for p in value.split(",")]
        network, ip = self._kubelet.config.network, sandbox.ip
        socket = web.WebSocketResponse(protocols=port_forward.PROTOCOLS)
        await socket.prepare(request)
        await port_forward.forward(socket, lambda port: network.dial(ip, port), ports)
        return socket


def _since(query: Any) -> float:
    if "sinceTime" in query:
        return parse(query["sinceTime"]).timestamp()
    if "sinceSeconds" in query:
        import time

        return time.time() - int(query["sinceSeconds"])
    return 0.0


async def log_text(lines: AsyncIterator[LogLine], timestamps: bool, limit: int | None) -> AsyncGenerator[bytes, None]:
    """What kubectl prints; a line that the log cut into parts gets its time once."""
    fresh = True
    async for line in lines:
        text = f"{line.at} ".encode() + line.text if timestamps and fresh else line.text
        fresh = line.text.endswith(b"\n")
        if limit is not None:
            text, limit = text[:limit], limit - len(text)
        if text:
            yield text
        if limit is not None and limit <= 0:
            return


async def _relay(socket: web.WebSocketResponse, session: ExecSession) -> None:
    """Output, then channel 3: a Status that says how it ended."""
    try:
        async for stream, data in session.output():
            await socket.send_bytes(bytes([stream]) + data)
        code = await session.exit_code()
        status = exit_status(code)
    except CriError as error:
        status = _broken(error)
    await socket.send_bytes(b"\x03" + orjson.dumps(status))


def _broken(error: CriError) -> dict[str, Any]:
    text = f"Internal error occurred: error executing command in container: {error.message}"
    return {"metadata": {}, "status": "Failure", "reason": "InternalError", "message": text, "code": 500}


def exit_status(code: int) -> dict[str, Any]:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


async def _feed(socket: web.WebSocketResponse, session: ExecSession) -> None:
    """Frames from the user; when they go away, so does the session. The official Python client sends text frames."""
    async for message in socket:
        frame = message.data.encode() if isinstance(message.data, str) else message.data
        if not isinstance(frame, bytes) or not frame:
            continue
        channel, data = frame[0], frame[1:]
        if channel == 0:
            await session.write(data)
        elif channel == 4:
            size = orjson.loads(data)
            await session.resize(size["Width"], size["Height"])
        elif channel == 255 and data[:1] == b"\0":
            await session.close_stdin()
    await session.close()


def _resident_bytes() -> int:
    """Of this process; 0 where there is no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        return 0
