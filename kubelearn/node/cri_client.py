"""The kubelet's container runtime: `RuntimeService` over HTTPS, answered by the control plane's gateway.

`engines.gateway` is the other half and describes the wire format. It uses the client's transport, so the node's one
certificate opens both the API and the runtime.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import orjson

from kubelearn.api.cri import (
    Container,
    ContainerConfig,
    ContainerStats,
    CriError,
    ExecResult,
    ExecSession,
    Image,
    LogLine,
    RuntimeEvent,
    Sandbox,
    SandboxConfig,
    VolumeFile,
)
from kubelearn.api.errors import ApiError
from kubelearn.client.rest import lines
from kubelearn.client.transport import Request, Response, Transport, TransportError, WebSocket

_PREFIX = "/cri/v1/"
#: Reason of a CriError when the gateway cannot be reached: try again, nothing is known of the container.
UNAVAILABLE = "RuntimeUnavailable"


class CriClient:
    """Raises CriError only; what breaks on the way has the reason `UNAVAILABLE`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _send(self, method: str, arguments: dict[str, Any], query: list[tuple[str, str]]) -> Response:
        body = orjson.dumps(arguments)
        headers = {"content-type": "application/json"}
        try:
            response = await self._transport.send(Request("POST", _PREFIX + method, query, headers, body))
        except TransportError as error:
            raise CriError(UNAVAILABLE, f"{method}: {error}") from error
        if response.status >= 400:
            raise _error(response)
        return response

    async def _call(self, method: str, **arguments: Any) -> Any:
        response = await self._send(method, arguments, [])
        return orjson.loads(response.body)["result"]

    async def _lines(self, method: str, **arguments: Any) -> AsyncGenerator[Any, None]:
        response = await self._send(method, arguments, [("follow", "true")])
        try:
            async with contextlib.aclosing(lines(response)) as found:
                async for line in found:
                    item = orjson.loads(line)
                    if isinstance(item, dict):
                        raise CriError(item["error"]["reason"], item["error"]["message"])
                    yield item
        except TransportError as error:
            raise CriError(UNAVAILABLE, f"{method}: {error}") from error

    async def _slow(self, method: str, **arguments: Any) -> Any:
        """A call whose answer may take longer than the transport waits for one."""
        async with contextlib.aclosing(self._lines(method, **arguments)) as found:
            async for (result,) in found:
                return result
        raise CriError(UNAVAILABLE, f"{method}: the connection to the container runtime broke off")

    async def set_volume(
        self, pod_uid: str, name: str, files: dict[str, VolumeFile] | None = None, group: int = -1
    ) -> None:
        encoded: dict[str, Any] | None = None
        if files is not None:
            encoded = {path: [base64.b64encode(f.data).decode(), f.mode] for path, f in files.items()}
        await self._call("SetVolume", pod_uid=pod_uid, name=name, files=encoded, group=group)

    async def volume_usage(self, pod_uid: str, names: list[str]) -> dict[str, int]:
        found: dict[str, int] = await self._call("VolumeUsage", pod_uid=pod_uid, names=names)
        return found

    async def have_host_path(self, path: str, type_: str) -> None:
        await self._call("HaveHostPath", path=path, type_=type_)

    async def remove_volumes(self, pod_uid: str) -> None:
        await self._call("RemoveVolumes", pod_uid=pod_uid)

    async def run_pod_sandbox(self, config: SandboxConfig) -> Sandbox:
        return Sandbox(**await self._call("RunPodSandbox", config=dataclasses.asdict(config)))

    async def stop_pod_sandbox(self, sandbox_id: str) -> None:
        await self._call("StopPodSandbox", sandbox_id=sandbox_id)

    async def remove_pod_sandbox(self, sandbox_id: str) -> None:
        await self._call("RemovePodSandbox", sandbox_id=sandbox_id)

    async def list_pod_sandboxes(self) -> list[Sandbox]:
        return [Sandbox(**s) for s in await self._call("ListPodSandboxes")]

    async def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        found: str = await self._call("CreateContainer", sandbox_id=sandbox_id, config=dataclasses.asdict(config))
        return found

    async def start_container(self, container_id: str) -> None:
        await self._call("StartContainer", container_id=container_id)

    async def stop_container(self, container_id: str, grace_seconds: int) -> None:
        await self._slow("StopContainer", container_id=container_id, grace_seconds=grace_seconds)

    async def remove_container(self, container_id: str) -> None:
        await self._call("RemoveContainer", container_id=container_id)

    async def list_containers(self) -> list[Container]:
        return [Container(**c) for c in await self._call("ListContainers")]

    async def container_status(self, container_id: str) -> Container:
        return Container(**await self._call("ContainerStatus", container_id=container_id))

    async def termination_message(self, container_id: str) -> str:
        found: str = await self._call("TerminationMessage", container_id=container_id)
        return found

    async def image_status(self, image: str) -> Image | None:
        found = await self._call("ImageStatus", image=image)
        return Image(**found) if found else None

    async def pull_image(self, image: str) -> Image:
        return Image(**await self._slow("PullImage", image=image))

    async def list_images(self) -> list[Image]:
        return [Image(**i) for i in await self._call("ListImages")]

    async def exec_sync(self, container_id: str, command: list[str], timeout: float) -> ExecResult:
        found = await self._slow("ExecSync", container_id=container_id, command=command, timeout=timeout)
        out, err = (base64.b64decode(found[k]) for k in ("stdout", "stderr"))
        return ExecResult(out, err, found["exit_code"])

    async def exec(self, container_id: str, command: list[str], *, tty: bool, stdin: bool) -> ExecSession:
        words = [("command", word) for word in command]
        return await self._session("Exec", container_id, words, tty, stdin)

    async def attach(self, container_id: str, *, tty: bool, stdin: bool) -> ExecSession:
        return await self._session("Attach", container_id, [], tty, stdin)

    async def _session(
        self, method: str, container_id: str, query: list[tuple[str, str]], tty: bool, stdin: bool
    ) -> RemoteSession:
        flags = [("tty", str(tty).lower()), ("stdin", str(stdin).lower())]
        request = Request("GET", _PREFIX + method, [("container_id", container_id), *flags, *query])
        try:
            return RemoteSession(await self._transport.websocket(request, ("v5.channel.k8s.io",)))
        except ApiError as error:
            raise CriError(error.reason, error.message) from error
        except TransportError as error:
            raise CriError(UNAVAILABLE, f"{method}: {error}") from error

    async def logs(
        self, container_id: str, *, follow: bool = False, tail: int = -1, since: float = 0.0
    ) -> AsyncIterator[LogLine]:
        arguments = {"container_id": container_id, "follow": follow, "tail": tail, "since": since}
        async with contextlib.aclosing(self._lines("Logs", **arguments)) as found:
            async for at, stream, text in found:
                yield LogLine(at, stream, base64.b64decode(text))

    async def stats(self) -> list[ContainerStats]:
        return [ContainerStats(**s) for s in await self._call("Stats")]

    async def events(self) -> AsyncIterator[RuntimeEvent]:
        """Ends with a CriError when the connection breaks: list again then."""
        async with contextlib.aclosing(self._lines("Events")) as found:
            async for fields in found:
                yield RuntimeEvent(*fields)


class RemoteSession:
    """An exec or attach over the gateway's WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._code: int | None = None

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while (frame := await self._socket.receive()) is not None:
            if not frame:
                continue
            if frame[0] == 3:
                self._code = orjson.loads(frame[1:])["exitCode"]
                return
            yield frame[0], frame[1:]

    async def write(self, data: bytes) -> None:
        await self._socket.send(b"\x00" + data)

    async def close_stdin(self) -> None:
        await self._socket.send(b"\xff\x00")

    async def resize(self, width: int, height: int) -> None:
        await self._socket.send(b"\x04" + orjson.dumps({"Width": width, "Height": height}))

    async def exit_code(self) -> int:
        """Read `output` to its end first. Raises CriError when the connection broke before the end."""
        if self._code is None:
            async for _ in self.output():
                pass
        if self._code is None:
            raise CriError(UNAVAILABLE, "the connection to the container runtime broke off")
        return self._code

    async def close(self) -> None:
        await self._socket.close()


def _error(response: Response) -> CriError:
    try:
        status = orjson.loads(response.body)
        return CriError(status["reason"], status["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return CriError(UNAVAILABLE, f"the gateway answered {response.status}: {response.body[:200]!r}")
