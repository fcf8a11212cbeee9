"""The container-runtime gateway: serves each node its own `RuntimeService` on the API server's port.

`POST /cri/v1/METHOD` with a JSON object of the method's arguments answers {"result": …}, or a `Status` with the
runtime's reason and message (404 for what is not there, else 500). What may take long (StopContainer, PullImage,
ExecSync) and what is many things (Logs, Events) answers at once, with JSON lines to follow. `Exec` and `Attach` are
WebSockets whose binary frames start with a channel byte, as in Kubernetes' v5.channel.k8s.io: 0 stdin, 1 stdout,
2 stderr, 3 the exit code as JSON, 4 a terminal's size, 255 close (of channel 0). A node sees its own containers only,
because its name comes from its certificate. `node.cri_client` is the other half.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import logging
import re
from collections.abc import AsyncIterator
from typing import Any, Protocol

import orjson
from aiohttp import WSMsgType, web

from kubelearn.api.cri import (
    ContainerConfig,
    CriError,
    ExecResult,
    ExecSession,
    RuntimeEvent,
    RuntimeService,
    SandboxConfig,
    VolumeFile,
)
from kubelearn.api.errors import ApiError
from kubelearn.engines.base import Engine
from kubelearn.kit.errors import KubelearnError
from kubelearn.kit.tasks import Tasks

PREFIX = "/cri/v1/"
_NODE = "system:node:"

log = logging.getLogger(__name__)


class Caller(Protocol):
    """Who sent the request, as the API server authenticated it."""

    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> Any: ...


class Gateway:
    """Mount `handle` at /cri/v1/."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def handle(self, request: web.Request, user: Caller) -> web.StreamResponse:
        if not user.name.startswith(_NODE) or "system:nodes" not in user.groups:
            return _refuse(403, "Forbidden", f'"{user.name}" is not a node')
        try:
            runtime = self._engine.runtime(user.name.removeprefix(_NODE))
        except KubelearnError as error:
            return _refuse(404, "NotFound", error.message)
        method = request.path.removeprefix(PREFIX)
        try:
            if method in ("Exec", "Attach"):
                return await _session(request, runtime, method)
            body = await request.read()
            arguments: dict[str, Any] = orjson.loads(body) if body else {}
            if method in _STREAMED:
                return await _stream(request, runtime, method, arguments)
            return _answer(await _call(runtime, method, arguments))
        except orjson.JSONDecodeError as error:
            return _refuse(400, "BadRequest", str(error))
        except CriError as error:
            return _refuse(404 if error.reason == "NotFound" else 500, error.reason, error.message)


_CALLS = frozenset(
    {
        "SetVolume",
        "HaveHostPath",
        "VolumeUsage",
        "RemoveVolumes",
        "RunPodSandbox",
        "StopPodSandbox",
        "RemovePodSandbox",
        "ListPodSandboxes",
        "CreateContainer",
        "StartContainer",
        "StopContainer",
        "RemoveContainer",
        "ListContainers",
        "ContainerStatus",
        "TerminationMessage",
        "ImageStatus",
        "PullImage",
        "ListImages",
        "ExecSync",
        "Stats",
    }
)


_SLOW = frozenset({"StopContainer", "PullImage", "ExecSync"})
_STREAMED = _SLOW | {"Logs", "Events"}


async def _call(runtime: RuntimeService, method: str, arguments: dict[str, Any]) -> Any:
    if method not in _CALLS:
        raise CriError("Unimplemented", f"unknown method {method}")
    if isinstance(config := arguments.get("config"), dict):
        arguments["config"] = _config(method, config)
    if isinstance(files := arguments.get("files"), dict):
        arguments["files"] = {path: VolumeFile(base64.b64decode(data), mode) for path, (data, mode) in files.items()}
    name = re.sub(r"(?<!^)([A-Z])", r"_\1", method).lower()
    try:
        result = await getattr(runtime, name)(**arguments)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise
        raise CriError("BadRequest", str(error)) from error
    if isinstance(result, ExecResult):
        return {
            "stdout": base64.b64encode(result.stdout).decode(),
            "stderr": base64.b64encode(result.stderr).decode(),
            "exit_code": result.exit_code,
        }
    return result


def _answer(result: Any) -> web.Response:
    return web.Response(body=orjson.dumps({"result": result}), content_type="application/json")


def _config(method: str, given: dict[str, Any]) -> SandboxConfig | ContainerConfig:
    if method == "RunPodSandbox":
        return SandboxConfig(**given)
    return ContainerConfig.load(given)


def _refuse(status: int, reason: str, message: str) -> web.Response:
    body = orjson.dumps(ApiError(status, reason, message).status())
    return web.Response(status=status, body=body, content_type="application/json")


async def _stream(
    request: web.Request, runtime: RuntimeService, method: str, arguments: dict[str, Any]
) -> web.StreamResponse:
    """One JSON object a line; an error after the first line is a line {"error": {reason, message}}."""
    if method == "Logs":
        items = _log_lines(runtime, arguments)
    else:
        items = _events(runtime) if method == "Events" else _result(runtime, method, arguments)
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    try:
        if method != "Logs":
            await response.prepare(request)
        async for item in items:
            if not response.prepared:
                await response.prepare(request)
            await response.write(item + b"\n")
    except CriError as error:
        if not response.prepared:
            raise
        problem = {"error": {"reason": error.reason, "message": error.message}}
        with contextlib.suppress(ConnectionError):  # a node that died with its runtime hears nothing
            await response.write(orjson.dumps(problem) + b"\n")
    except ConnectionError:
        log.debug("%s: the node went away", method)
    finally:
        await items.aclose()
    if not response.prepared:
        await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        await response.write_eof()
    return response


async def _result(runtime: RuntimeService, method: str, arguments: dict[str, Any]) -> Any:
    yield orjson.dumps([await _call(runtime, method, arguments)])


async def _log_lines(runtime: RuntimeService, arguments: dict[str, Any]) -> Any:
    async for line in runtime.logs(**arguments):
        yield orjson.dumps([line.at, line.stream, base64.b64encode(line.text).decode()])


async def _events(runtime: RuntimeService) -> Any:
    events = runtime.events()
    async with Tasks("cri-events") as tasks:
        coming = tasks.start(_next(events), "next")
        await asyncio.sleep(0)  # by now the runtime listens for us, or has refused to
        if not coming.done():
            yield orjson.dumps(["LISTENING", "", ""])
        while True:
            event = await coming
            if isinstance(event, CriError):
                raise event
            yield orjson.dumps(dataclasses.astuple(event))
            coming = tasks.start(_next(events), "next")


async def _next(events: AsyncIterator[RuntimeEvent]) -> RuntimeEvent | CriError:
    """A CriError is what there is to tell, not a fault of ours."""
    try:
        async for event in events:
            return event
    except CriError as error:
        return error
    return CriError("Unavailable", "the runtime's events ended")


async def _session(request: web.Request, runtime: RuntimeService, method: str) -> web.StreamResponse:
    query = request.query
    options = {"tty": query.get("tty") == "true", "stdin": query.get("stdin") == "true"}
    container = query.get("container_id", "")
    if method == "Exec":
        session = await runtime.exec(container, query.getall("command", []), **options)
    else:
        session = await runtime.attach(container, **options)
    try:
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        async with Tasks(f"cri-{method}") as tasks:
            tasks.start(_feed(socket, session), "stdin")
            with contextlib.suppress(ConnectionError):
                async for stream, data in session.output():
                    await socket.send_bytes(bytes([stream]) + data)
                code = await session.exit_code()
                await socket.send_bytes(b"\x03" + orjson.dumps({"exitCode": code}))
            await socket.close()
        return socket
    finally:
        await session.close()


async def _feed(socket: web.WebSocketResponse, session: ExecSession) -> None:
    """What the node sends; when it goes away, so does the command."""
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel == 0:
            await session.write(data)
        elif channel == 4:
            size = orjson.loads(data)
            await session.resize(size["Width"], size["Height"])
        elif channel == 255:
            await session.close_stdin()
    await session.close()
