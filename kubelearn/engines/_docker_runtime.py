"""The runtime of one node on the docker engine: a pod is a pause container that the pod's containers share a network
with; Docker's labels are its only memory."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
from kubelearn.engines import _docker_api, _docker_pull, _docker_session
from kubelearn.engines import _docker_objects as objects
from kubelearn.engines._docker_api import Docker, DockerError, as_cri
from kubelearn.engines._docker_images import PAUSE
from kubelearn.engines._docker_objects import CONTAINER_ROLE, SANDBOX_ROLE, Found
from kubelearn.engines._docker_session import Session
from kubelearn.engines._docker_state import State
from kubelearn.engines._docker_volumes import MESSAGES, MESSAGES_AT, Volumes, message_file, volume_mount

if TYPE_CHECKING:
    from docker import APIClient

_KILL_SECONDS = 20.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class NodePlan:
    """Where this node's pods live: `subnet` is `10.O.N`, its pods are .2 to .254; `ip` is the node's own."""

    name: str
    cluster: str
    network: str
    subnet: str
    ip: str


class DockerRuntime:
    """A `RuntimeService`; `state` is open."""

    def __init__(self, plan: NodePlan, docker: Docker, state: State) -> None:
        self._plan = plan
        self._docker = docker
        self._state = state
        self._volumes = Volumes(docker, plan.cluster, plan.name)
        self._next_host = 1
        self._taken: set[str] = set()  # addresses of sandboxes under way

    def _mine(self, role: str) -> list[Found]:
        return [f for f in self._state.items.values() if f.node == self._plan.name and f.role == role]

    def _find(self, container_id: str, role: str = CONTAINER_ROLE) -> Found:
        found = self._state.items.get(container_id)
        if found is None or found.node != self._plan.name or found.role != role:
            raise CriError("NotFound", f'an error occurred when try to find container "{container_id}": not found')
        return found

    # Volumes

    async def set_volume(
        self, pod_uid: str, name: str, files: dict[str, VolumeFile] | None = None, group: int = -1
    ) -> None:
        with as_cri("FailedMount"):
            await self._volumes.set(pod_uid, name, files, group)

    async def volume_usage(self, pod_uid: str, names: list[str]) -> dict[str, int]:
        with as_cri("VolumeStatsError"):
            return await self._docker.call(lambda api: self._volumes.usage(api, pod_uid, names))

    async def have_host_path(self, path: str, type_: str) -> None:
        with as_cri("FailedMount"):
            await self._docker.call(lambda api: self._volumes.have_host_path(api, path, type_))

    async def remove_volumes(self, pod_uid: str) -> None:
        with as_cri("FailedUnmount"):
            await self._volumes.remove(pod_uid)

    # Sandboxes

    async def run_pod_sandbox(self, config: SandboxConfig) -> Sandbox:
        ip = self._free_ip()
        self._taken.add(ip)
        try:
            with as_cri("FailedCreatePodSandBox"):
                made = await self._docker.call(lambda api: self._make_sandbox(api, ip, config))
                found = await self._state.look(made)
        finally:
            self._taken.discard(ip)
        if found is None or not isinstance(found.view, Sandbox):
            raise CriError("FailedCreatePodSandBox", "the sandbox was removed while it started")
        return found.view

    def _make_sandbox(self, api: APIClient, ip: str, config: SandboxConfig) -> str:
        plan = self._plan
        messages = self._volumes.make(api, config.pod_uid, f"{MESSAGES}{config.attempt}")
        network: Any = {plan.network: api.create_endpoint_config(ipv4_address=ip)}
        first = plan.subnet.rpartition(".")[0]
        made: str = api.create_container(
            PAUSE,
            name=_name(plan.cluster, config.pod_namespace, config.pod_name, "POD"),
            hostname=config.hostname[:63],
            environment={
                "NODE_IP": plan.ip,
                "SUBNET": f"{first}.0.0/16",
                "RESOLV_CONF": _resolv_conf(config),
                "MESSAGES": " ".join(message_file(name, 0) for name in config.containers),
            },
            labels=objects.sandbox_labels(plan.cluster, plan.name, ip, config),
            host_config={
                **api.create_host_config(
                    network_mode=plan.network,
                    cap_drop=["ALL"],
                    cap_add=["NET_ADMIN"],
                    security_opt=["no-new-privileges"],
                    extra_hosts=config.hosts or None,
                ),
                "Mounts": [
                    volume_mount(messages, MESSAGES_AT, False),
                    *self._volumes.in_memory(api, config.pod_uid, config.memory_volumes),
                ],
            },
            networking_config=api.create_networking_config(network),
        )["Id"]
        try:
            api.start(made)
        except BaseException:
            api.remove_container(made, force=True)
            raise
        return made

    def _free_ip(self) -> str:
        """The next address of the node's range, round robin, so that a fresh pod does not inherit an old one's."""
        views = [f.view for f in self._mine(SANDBOX_ROLE) if f.running]
        used = self._taken | {v.ip for v in views if isinstance(v, Sandbox)}
        for step in range(1, 254):
            host = (self._next_host - 2 + step) % 253 + 2
            ip = f"{self._plan.subnet}.{host}"
            if ip not in used:
                self._next_host = host
                return ip
        raise CriError("FailedCreatePodSandBox", f"no free address in {self._plan.subnet}.0/24")

    async def stop_pod_sandbox(self, sandbox_id: str) -> None:
        if sandbox_id not in self._state.items:
            return
        self._find(sandbox_id, SANDBOX_ROLE)
        with as_cri("StopPodSandboxError"):
            await asyncio.gather(*(self._kill(c.id) for c in self._of(sandbox_id)))
            await self._kill(sandbox_id)

    async def remove_pod_sandbox(self, sandbox_id: str) -> None:
        await self.stop_pod_sandbox(sandbox_id)
        if sandbox_id not in self._state.items:
            return
        self._find(sandbox_id, SANDBOX_ROLE)
        with as_cri("RemovePodSandboxError"):
            await asyncio.gather(*(self._remove(c.id) for c in self._of(sandbox_id)))
            await self._remove(sandbox_id)

    async def list_pod_sandboxes(self) -> list[Sandbox]:
        return [f.view for f in self._mine(SANDBOX_ROLE) if isinstance(f.view, Sandbox)]

    def _of(self, sandbox_id: str) -> list[Found]:
        return [f for f in self._mine(CONTAINER_ROLE) if getattr(f.view, "sandbox_id", "") == sandbox_id]

    # Containers

    async def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        found = self._state.items.get(sandbox_id)
        if found is None or not isinstance(found.view, Sandbox) or found.view.state != "READY":
            raise CriError("CreateContainerError", f'failed to find sandbox id "{sandbox_id}": not found')
        sandbox = found.view
        try:
            try:
                made = await self._docker.call(lambda api: self._make_container(api, sandbox, config))
            except DockerError as error:
                if "bind source path does not exist" not in error.message:
                    raise
                made = await self._docker.call(lambda api: self._make_container(api, sandbox, config, prepare=True))
            await self._state.look(made)
        except DockerError as error:
            raise CriError("CreateContainerError", error.message) from error
        return made

    def _make_container(self, api: APIClient, sandbox: Sandbox, config: ContainerConfig, prepare: bool = False) -> str:
        """Kubernetes' rule: command replaces the entry point and drops the image's cmd, args replace cmd. `prepare`
        makes the file for its termination message, which else the sandbox has made."""
        image = _docker_api.image(api, config.image)["Config"]
        command = config.args or ([] if config.command else image.get("Cmd") or [])
        if not (config.command or image.get("Entrypoint") or command):
            raise CriError("CreateContainerError", "no command specified")
        options = objects.security_options(config.security, sandbox.id)
        if config.memory_limit:
            options |= {"mem_limit": config.memory_limit, "memswap_limit": config.memory_limit}
        if config.cpu_limit:
            options["nano_cpus"] = int(config.cpu_limit * 1e9)
        if config.cpu_request:
            options["cpu_shares"] = max(2, int(config.cpu_request * 1024))
        made: str = api.create_container(
            config.image,
            name=_name(self._plan.cluster, sandbox.pod_namespace, sandbox.pod_name, config.name),
            command=command,
            entrypoint=config.command or None,
            working_dir=config.working_dir or None,
            user=objects.user(config.security, image.get("User") or "") or None,
            environment=config.env,
            labels=objects.container_labels(sandbox, self._plan.cluster, self._plan.name, config),
            tty=config.tty,
            stdin_open=config.stdin,
            host_config={
                **api.create_host_config(**options),
                "Mounts": [
                    *self._volumes.mounts(api, sandbox, config.mounts),
                    *self._volumes.message_mount(api, sandbox, config, prepare or config.attempt > 0),
                ],
            },
        )["Id"]
        return made

    async def start_container(self, container_id: str) -> None:
        found = self._find(container_id)
        if found.view.state != "CREATED":
            raise CriError("RunContainerError", f"container {container_id} is {found.view.state.lower()}")
        try:
            await self._docker.call(lambda api: api.start(container_id))
        except DockerError as error:
            raise CriError("RunContainerError", objects.start_problem(error.message)) from error
        finally:
            with contextlib.suppress(DockerError):
                await self._state.look(container_id)

    async def stop_container(self, container_id: str, grace_seconds: int) -> None:
        if container_id not in self._state.items:
            return
        found = self._find(container_id)
        with as_cri("StopContainerError"):
            if found.running and grace_seconds > 0:
                await self._docker.quietly(lambda api: api.kill(container_id, found.stop_signal))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(grace_seconds):
                        await self._state.stopped(container_id)
            await self._kill(container_id)

    async def _kill(self, container_id: str) -> None:
        """At once; returns when it has ended. Raises DockerError."""
        found = self._state.items.get(container_id)
        if found is None or not found.running:
            return
        await self._docker.quietly(lambda api: api.kill(container_id, "SIGKILL"))
        try:
            async with asyncio.timeout(_KILL_SECONDS):
                await self._state.stopped(container_id)
        except TimeoutError:
            found = await self._state.look(container_id)
            if found is not None and found.running:
                raise DockerError(f"container {container_id} does not end, not even by SIGKILL") from None

    async def remove_container(self, container_id: str) -> None:
        if container_id not in self._state.items:
            return
        self._find(container_id)
        with as_cri("RemoveContainerError"):
            await self._kill(container_id)
            await self._remove(container_id)

    async def _remove(self, container_id: str) -> None:
        await self._docker.quietly(lambda api: api.remove_container(container_id, force=True, v=True))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KILL_SECONDS):
                await self._state.until(container_id, lambda _: False)

    async def list_containers(self) -> list[Container]:
        return [f.view for f in self._mine(CONTAINER_ROLE) if isinstance(f.view, Container)]

    async def container_status(self, container_id: str) -> Container:
        view = self._find(container_id).view
        assert isinstance(view, Container)
        return view

    async def termination_message(self, container_id: str) -> str:
        view = self._find(container_id).view
        assert isinstance(view, Container)
        with as_cri("ContainerStatusError"):
            return await self._docker.call(lambda api: self._volumes.message(api, view))

    # Images

    async def image_status(self, image: str) -> Image | None:
        with as_cri("ImageInspectError"):
            return await _docker_pull.status(self._docker, image)

    async def pull_image(self, image: str) -> Image:
        return await _docker_pull.pull(self._docker, image)

    async def list_images(self) -> list[Image]:
        with as_cri("ImageInspectError"):
            return await _docker_pull.images(self._docker)

    # Commands and output

    async def exec_sync(self, container_id: str, command: list[str], timeout: float) -> ExecResult:
        session = await self._exec(container_id, command, tty=False, stdin=False)
        out: dict[int, list[bytes]] = {1: [], 2: []}
        try:
            async with asyncio.timeout(timeout or None):
                async for stream, data in session.output():
                    out[stream].append(data)
                code = await session.exit_code()
        except TimeoutError:
            raise CriError("DeadlineExceeded", f'command "{" ".join(command)}" timed out') from None
        finally:
            await session.close()
        return ExecResult(b"".join(out[1]), b"".join(out[2]), code)

    async def exec(self, container_id: str, command: list[str], *, tty: bool, stdin: bool) -> ExecSession:
        return await self._exec(container_id, command, tty=tty, stdin=stdin)

    async def _exec(self, container_id: str, command: list[str], *, tty: bool, stdin: bool) -> Session:
        self._running(container_id)
        with as_cri("ExecError"):
            made = await self._docker.call(
                lambda api: api.exec_create(container_id, command, stdin=stdin, tty=tty)["Id"]
            )
            reader, writer = await self._docker.pipe(f"/exec/{made}/start", {"Detach": False, "Tty": tty})

        async def look() -> dict[str, Any]:
            with as_cri("ExecError"):
                return await self._docker.call(lambda api: api.exec_inspect(made))

        async def started() -> bool:
            seen = await look()
            return bool(seen["Pid"]) or seen["ExitCode"] is not None

        async def exited() -> int:
            while (seen := await look())["Running"]:  # noqa: ASYNC110  its output has ended, so it is about to
                await asyncio.sleep(_LOOK_SECONDS)
            return int(seen["ExitCode"] or 0)

        async def resize(width: int, height: int) -> None:
            await self._docker.quietly(lambda api: api.exec_resize(made, height, width))

        session = Session(reader, writer, tty, resize, exited)
        try:
            await session.begin(started)
        except BaseException:
            await session.close()
            raise
        return session

    def _running(self, container_id: str) -> Found:
        found = self._find(container_id)
        if not found.running:
            raise CriError("NotRunning", f"container is in CONTAINER_{found.view.state} state")
        return found

    async def attach(self, container_id: str, *, tty: bool, stdin: bool) -> ExecSession:
        found = self._running(container_id)
        with as_cri("AttachError"):
            wanted = "stream=1&stdout=1&stderr=1" + ("&stdin=1" if stdin else "")
            reader, writer = await self._docker.pipe(f"/containers/{container_id}/attach?{wanted}")

        async def exited() -> int:
            await self._state.stopped(container_id)
            view = self._find(container_id).view
            return view.exit_code if isinstance(view, Container) else 0

        async def resize(width: int, height: int) -> None:
            await self._docker.quietly(lambda api: api.resize(container_id, height, width))

        return Session(reader, writer, found.tty, resize, exited)

    async def logs(
        self, container_id: str, *, follow: bool = False, tail: int = -1, since: float = 0.0
    ) -> AsyncIterator[LogLine]:
        found = self._find(container_id)
        if since > time.time() and not follow:
            return
        query = f"stdout=1&stderr=1&timestamps=1&tail={'all' if tail < 0 else tail}&since={since:.9f}"
        with as_cri("LogError"):
            reader, writer = await self._docker.stream(
                f"/containers/{container_id}/logs?{query}&follow={int(follow and found.view.state != 'EXITED')}"
            )
        try:
            async for line in _docker_session.log_lines(reader, found.tty):
                yield line
        finally:
            writer.close()

    async def stats(self) -> list[ContainerStats]:
        running = [f.id for f in self._mine(CONTAINER_ROLE) if f.running]
        found = await asyncio.gather(*(self._stats(i) for i in running))
        return [s for s in found if s is not None]

    async def _stats(self, container_id: str) -> ContainerStats | None:
        with as_cri("StatsError"):
            try:
                seen = await self._docker.call(lambda api: api.stats(container_id, stream=False, one_shot=True))
            except DockerError as error:
                if error.status in (404, 409):
                    return None
                raise
        memory = seen.get("memory_stats") or {}
        detail = memory.get("stats") or {}
        cache = detail.get("total_inactive_file", detail.get("inactive_file", 0))
        used = max(0, memory.get("usage", 0) - cache)
        return ContainerStats(container_id, seen["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, used)

    def events(self) -> AsyncIterator[RuntimeEvent]:
        return self._state.events(self._plan.name)


def _resolv_conf(config: SandboxConfig) -> str:
    lines = [f"nameserver {server}" for server in config.dns_servers]
    if config.dns_searches:
        lines.append("search " + " ".join(config.dns_searches))
    if config.dns_options:
        lines.append("options " + " ".join(config.dns_options))
    return "".join(line + "\n" for line in lines)


def _name(cluster: str, namespace: str, pod: str, container: str) -> str:
    """What `docker ps` shows."""
    return f"kubelearn-{cluster}.{namespace}.{pod}.{container}.{secrets.token_hex(3)}"
