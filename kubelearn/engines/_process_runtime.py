"""The runtime of one node on the process engine: a pod is an address and a folder, a container a process group."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

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
from kubelearn.engines import _process_images as images
from kubelearn.engines import _process_logs, _process_watch
from kubelearn.engines import _process_privileges as privileges
from kubelearn.engines import _process_records as records
from kubelearn.engines._payload import payload
from kubelearn.engines._process_container import ContainerHandle
from kubelearn.engines._process_paths import localize
from kubelearn.engines._process_session import AttachSession, ExecProcess
from kubelearn.kit.tasks import Tasks
from kubelearn.kit.underlay import SOCKS_PORT, VARIABLE, Underlay


@dataclasses.dataclass(frozen=True, slots=True)
class NodePlan:
    """Where this node's pods live. `subnet` is `10.O.N`, its pods are .2 to .254; `ip` is the node's own."""

    name: str
    subnet: str
    ip: str
    home: Path
    underlay: Underlay

    @property
    def pods(self) -> Path:
        return self.home / "pods"

    @property
    def disk(self) -> Path:
        """What hostPath volumes are on."""
        return self.home / "disks" / self.name


class ProcessRuntime:
    """A `RuntimeService`. `load` must have run."""

    def __init__(self, plan: NodePlan, tasks: Tasks) -> None:
        self._plan = plan
        self._tasks = tasks
        self._sandboxes: dict[str, records.SandboxRecord] = {}
        self._containers: dict[str, ContainerHandle] = {}
        self._listeners: set[asyncio.Queue[RuntimeEvent]] = set()
        self._next_host = 1

    def load(self) -> None:
        """Adopt what a previous control plane left running."""
        for sandbox, containers in records.load(self._plan.pods, self._plan.name):
            self._sandboxes[sandbox.id] = sandbox
            self._next_host = max(self._next_host, int(sandbox.ip.rpartition(".")[2]))
            for record in containers:
                handle = ContainerHandle(record, self._tasks, self._changed)
                self._containers[record.id] = handle
                handle.adopt()

    # Volumes

    async def set_volume(
        self, pod_uid: str, name: str, files: dict[str, VolumeFile] | None = None, group: int = -1
    ) -> None:
        """`group` is this process's own, or the pod's containers are refused (`_process_privileges`)."""
        folder = records.volume(self._plan.pods, pod_uid, name)

        def write() -> None:
            folder.mkdir(parents=True, exist_ok=True)
            if files is not None:
                records.write_payload(folder, payload(files))

        try:
            await asyncio.to_thread(write)
        except OSError as error:
            raise CriError("FailedMount", f"{error.strerror}: {error.filename}") from error

    async def volume_usage(self, pod_uid: str, names: list[str]) -> dict[str, int]:
        return await asyncio.to_thread(records.volume_usage, self._plan.pods, pod_uid, names)

    async def have_host_path(self, path: str, type_: str) -> None:
        await asyncio.to_thread(records.have_host_path, self._plan.disk, path, type_)

    async def remove_volumes(self, pod_uid: str) -> None:
        """With them the pod's folder, once no sandbox is in it."""
        folder = self._plan.pods / pod_uid
        await asyncio.to_thread(records.remove, folder / "volumes")
        with contextlib.suppress(OSError):
            folder.rmdir()

    # Sandboxes

    async def run_pod_sandbox(self, config: SandboxConfig) -> Sandbox:
        if config.hosts:
            raise CriError("FailedCreatePodSandBox", "the process engine has no /etc/hosts of a pod's own: hostAliases")
        if config.memory_volumes:
            raise CriError(
                "FailedCreatePodSandBox", "the process engine has no volumes in memory: emptyDir of medium Memory"
            )
        record = records.SandboxRecord(secrets.token_hex(32), self._plan.name, self._free_ip(), time.time(), config)
        self._sandboxes[record.id] = record
        await asyncio.to_thread(records.save_sandbox, self._plan.pods, record)
        return record.view()

    def _free_ip(self) -> str:
        """The next address of the node's range, round robin, so that a fresh pod does not inherit an old one's."""
        used = {s.ip for s in self._sandboxes.values() if s.ready}
        for step in range(1, 254):
            host = (self._next_host - 2 + step) % 253 + 2
            ip = f"{self._plan.subnet}.{host}"
            if ip not in used:
                self._next_host = host
                return ip
        raise CriError("FailedCreatePodSandBox", f"no free address in {self._plan.subnet}.0/24")

    async def stop_pod_sandbox(self, sandbox_id: str) -> None:
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None or not sandbox.ready:
            return
        await asyncio.gather(*(c.stop(0) for c in self._of(sandbox_id)))
        sandbox.ready = False
        await asyncio.to_thread(records.save_sandbox, self._plan.pods, sandbox)
        self._tell("CONTAINER_STOPPED", sandbox.config.pod_uid, sandbox_id)

    async def remove_pod_sandbox(self, sandbox_id: str) -> None:
        await self.stop_pod_sandbox(sandbox_id)
        sandbox = self._sandboxes.pop(sandbox_id, None)
        if sandbox is None:
            return
        for container in self._of(sandbox_id):
            del self._containers[container.record.id]
        uid = sandbox.config.pod_uid
        folder = sandbox.folder(self._plan.pods)
        await asyncio.to_thread(records.remove, folder)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()  # unless another sandbox or volumes are left
        self._tell("CONTAINER_DELETED", uid, sandbox_id)

    async def list_pod_sandboxes(self) -> list[Sandbox]:
        return [s.view() for s in self._sandboxes.values()]

    def _of(self, sandbox_id: str) -> list[ContainerHandle]:
        return [c for c in self._containers.values() if c.record.sandbox_id == sandbox_id]

    # Containers

    async def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None or not sandbox.ready:
            raise CriError("CreateContainerError", f'failed to find sandbox id "{sandbox_id}": not found')
        privileges.check(config.security)
        image = images.find(config.image)
        container_id = secrets.token_hex(32)
        folder = sandbox.folder(self._plan.pods) / container_id[: records.SHORT]
        record = records.ContainerRecord(
            container_id,
            sandbox_id,
            sandbox.config.pod_uid,
            image.image.id,
            time.time(),
            [],
            {},
            config,
            folder,
        )
        own = dataclasses.replace(
            config, command=self._localize(record, config.command), args=self._localize(record, config.args)
        )
        record.argv = image.argv(own)
        record.env = self._environment(sandbox, record, image.env)
        if not record.argv:
            raise CriError("CreateContainerError", "no command specified")
        await asyncio.to_thread(self._make, record)
        self._containers[container_id] = ContainerHandle(record, self._tasks, self._changed)
        self._changed("CONTAINER_CREATED", self._containers[container_id])
        return container_id

    def _make(self, record: records.ContainerRecord) -> None:
        try:
            records.make_root(self._plan.pods, self._plan.disk, record)
            records.save_container(record)
        except OSError as error:
            raise CriError("CreateContainerError", f"{error.strerror}: {error.filename}") from error

    @staticmethod
    def _localize(record: records.ContainerRecord, words: list[str]) -> list[str]:
        paths = [m.container_path for m in record.config.mounts]
        return localize(words, [*paths, record.config.termination_path], record.root)

    def _environment(
        self, sandbox: records.SandboxRecord, record: records.ContainerRecord, image_env: dict[str, str]
    ) -> dict[str, str]:
        """What a container of this image would have, and what stands in for its namespaces."""
        plan = self._plan
        proxy, port = plan.underlay.dial(plan.ip, SOCKS_PORT)
        env = {
            "PATH": f"{plan.home / 'bin'}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOSTNAME": sandbox.config.hostname,
            "HOME": str(record.root),
            "LANG": "C.UTF-8",
            **image_env,
            **dict(zip(record.config.env, self._localize(record, list(record.config.env.values())), strict=True)),
        }
        if plan.underlay.prefix:
            who = f"{sandbox.ip}:{sandbox.config.pod_namespace}"
            env.setdefault("ALL_PROXY", f"socks5h://{who}@{proxy}:{port}")
        return env | {
            VARIABLE: plan.underlay.prefix,
            "KUBELEARN_POD_IP": sandbox.ip,
            "KUBELEARN_ROOT": str(record.root),
            "KUBELEARN_NAMESERVER": (sandbox.config.dns_servers or [""])[0],
            "KUBELEARN_SEARCH": " ".join(sandbox.config.dns_searches),
            "KUBELEARN_CONTAINER_ID": record.id,
        }

    async def start_container(self, container_id: str) -> None:
        await self._find(container_id).start()

    async def stop_container(self, container_id: str, grace_seconds: int) -> None:
        if container := self._containers.get(container_id):
            await container.stop(grace_seconds)

    async def remove_container(self, container_id: str) -> None:
        container = self._containers.get(container_id)
        if container is None:
            return
        await container.stop(0)
        self._containers.pop(container_id, None)
        await asyncio.to_thread(records.remove, container.record.folder)
        self._changed("CONTAINER_DELETED", container)

    async def list_containers(self) -> list[Container]:
        return [c.status() for c in self._containers.values()]

    async def container_status(self, container_id: str) -> Container:
        return self._find(container_id).status()

    async def termination_message(self, container_id: str) -> str:
        return await asyncio.to_thread(records.last_words, self._find(container_id).record)

    def _find(self, container_id: str) -> ContainerHandle:
        if container := self._containers.get(container_id):
            return container
        raise CriError("NotFound", f'an error occurred when try to find container "{container_id}": not found')

    def _running(self, container_id: str) -> ContainerHandle:
        container = self._find(container_id)
        if container.view.state != "RUNNING":
            state = "CONTAINER_" + container.view.state
            raise CriError("NotRunning", f"container is in {state} state")
        return container

    # Images

    async def image_status(self, image: str) -> Image | None:
        try:
            return images.find(image).image
        except CriError:
            return None

    async def pull_image(self, image: str) -> Image:
        return images.find(image).image

    async def list_images(self) -> list[Image]:
        return [b.image for b in images.built_in().values()]

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

    async def _exec(self, container_id: str, command: list[str], *, tty: bool, stdin: bool) -> ExecProcess:
        record = self._running(container_id).record
        words = self._localize(record, command)
        program = shutil.which(words[0], path=record.env["PATH"]) or words[0]
        return await ExecProcess.start([program, *words[1:]], record.env, record.directory, tty, stdin)

    async def attach(self, container_id: str, *, tty: bool, stdin: bool) -> ExecSession:
        container = self._running(container_id)
        connection = await _process_logs.connect(container.record.folder, b"a")
        if connection is None:
            raise CriError("NotRunning", "container is in CONTAINER_EXITED state")
        return AttachSession(*connection, container.exit_code)

    async def logs(
        self, container_id: str, *, follow: bool = False, tail: int = -1, since: float = 0.0
    ) -> AsyncIterator[LogLine]:
        folder = self._find(container_id).record.folder
        async for line in _process_logs.read(folder, follow, tail, since):
            yield line

    async def stats(self) -> list[ContainerStats]:
        sessions = await asyncio.to_thread(_process_watch.session_members)
        out = []
        for container in self._containers.values():
            members = [m for session in container.members() for m in sessions.get(session, [])]
            if members:
                cpu, memory = sum(m[1] for m in members), sum(m[2] for m in members)
                out.append(ContainerStats(container.record.id, cpu, memory))
        return out

    # Events

    async def events(self) -> AsyncIterator[RuntimeEvent]:
        queue: asyncio.Queue[RuntimeEvent] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    def _changed(self, event: str, container: ContainerHandle) -> None:
        self._tell(event, container.record.pod_uid, container.record.id)

    def _tell(self, event: str, uid: str, container_id: str) -> None:
        for queue in self._listeners:
            queue.put_nowait(RuntimeEvent(event, uid, container_id))  # type: ignore[arg-type]

    # Failure drills, for the engine

    async def signal_all(self, number: int) -> None:
        """SIGSTOP or SIGCONT to every process of this node's pods."""
        sessions = await asyncio.to_thread(_process_watch.session_members)
        for container in self._containers.values():
            for session in container.members():
                for pid, _, _ in sessions.get(session, []):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)

    async def power_off(self, grace_seconds: int) -> None:
        """Every container stops and no sandbox is ready: what a machine looks like when it boots again."""
        await asyncio.gather(*(c.stop(grace_seconds) for c in self._containers.values()))
        await asyncio.gather(*(self.stop_pod_sandbox(s) for s in list(self._sandboxes)))
