"""The container runtime interface: what a kubelet asks of whatever runs its containers.

Shaped after the Kubernetes CRI (k8s.io/cri-api, runtime/v1), as JSON-able dataclasses. Engines implement
`RuntimeService`; the gateway serves it to each node over HTTPS; the kubelet's client implements it too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

#: Reason of a CriError while the runtime itself is out of reach: the node is not ready then.
RUNTIME_DOWN = "RuntimeDown"


@dataclass(slots=True)
class SandboxConfig:
    """What `RunPodSandbox` needs. `hosts` are further lines of /etc/hosts, name to address;
    `memory_volumes` are the pod's volumes in memory, with their size in bytes, 0 for no limit; `containers` are the
    names of what will run in it, for a runtime that can prepare them."""

    pod_namespace: str
    pod_name: str
    pod_uid: str
    hostname: str
    labels: dict[str, str] = field(default_factory=dict)
    dns_servers: list[str] = field(default_factory=list)
    dns_searches: list[str] = field(default_factory=list)
    dns_options: list[str] = field(default_factory=list)
    attempt: int = 0
    hosts: dict[str, str] = field(default_factory=dict)
    memory_volumes: dict[str, int] = field(default_factory=dict)
    containers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Sandbox:
    id: str
    pod_namespace: str
    pod_name: str
    pod_uid: str
    ip: str
    state: Literal["READY", "NOTREADY"]
    created_at: float
    attempt: int = 0


@dataclass(slots=True)
class VolumeFile:
    """`mode` is the permission bits, as in a ConfigMap volume's defaultMode."""

    data: bytes
    mode: int = 0o644


@dataclass(slots=True)
class Mount:
    """Where a container sees a volume of its pod, or the file or folder `sub_path` of it; of the node's disk when
    `host` is set, whose own paths are then `sub_path`s."""

    volume: str
    container_path: str
    read_only: bool = False
    sub_path: str = ""
    host: bool = False


@dataclass(slots=True)
class Security:
    """What a container may, as its pod's and its own securityContext say together; -1 for a user or group that is the
    image's to say. `seccomp` is empty, RuntimeDefault, Unconfined or Localhost; `sees_processes_of` is the container of
    the pod whose processes it sees besides its own."""

    user: int = -1
    group: int = -1
    groups: list[int] = field(default_factory=list)
    read_only_root: bool = False
    add_capabilities: list[str] = field(default_factory=list)
    drop_capabilities: list[str] = field(default_factory=list)
    no_new_privileges: bool = False
    share_processes: bool = False
    seccomp: str = ""
    sees_processes_of: str = ""


@dataclass(slots=True)
class ContainerConfig:
    """`attempt` counts restarts of this container in the pod; limits are cores and bytes, 0 for none. What it writes
    to `termination_path` is kept for `termination_message`."""

    name: str
    image: str
    command: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    working_dir: str = ""
    env: dict[str, str] = field(default_factory=dict)
    mounts: list[Mount] = field(default_factory=list)
    attempt: int = 0
    cpu_limit: float = 0.0
    memory_limit: int = 0
    tty: bool = False
    stdin: bool = False
    termination_path: str = ""
    cpu_request: float = 0.0
    security: Security = field(default_factory=Security)

    @classmethod
    def load(cls, data: dict[str, Any]) -> ContainerConfig:
        """From what `dataclasses.asdict` made, also of an earlier version. Raises TypeError for unknown fields."""
        mounts = [Mount(**m) for m in data.get("mounts", ())]
        return cls(**{**data, "mounts": mounts, "security": Security(**data.get("security", {}))})


@dataclass(slots=True)
class Container:
    """Times are seconds since the epoch, 0 when not yet."""

    id: str
    sandbox_id: str
    name: str
    pod_uid: str
    image: str
    image_id: str
    attempt: int
    state: Literal["CREATED", "RUNNING", "EXITED", "UNKNOWN"]
    created_at: float = 0.0
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    reason: str = ""
    message: str = ""


@dataclass(slots=True)
class Image:
    """`user` is whom its containers run as, as the image says it: empty for root, else `USER` or `USER:GROUP`."""

    id: str
    tags: list[str]
    size: int
    user: str = ""


@dataclass(slots=True)
class ExecResult:
    stdout: bytes
    stderr: bytes
    exit_code: int


@dataclass(slots=True)
class LogLine:
    """`at` is RFC 3339 with nanoseconds, as kubectl --timestamps prints it; `text` has no newline unless it had one."""

    at: str
    stream: Literal["stdout", "stderr"]
    text: bytes


@dataclass(slots=True)
class ContainerStats:
    """cpu_seconds is cumulative, memory the working set in bytes."""

    container_id: str
    cpu_seconds: float
    memory_bytes: int


@dataclass(slots=True)
class RuntimeEvent:
    """A container or sandbox changed: look at it again (CRI GetContainerEvents). The gateway sends LISTENING first:
    from there on nothing is missed, so list what there is."""

    type: Literal["LISTENING", "CONTAINER_CREATED", "CONTAINER_STARTED", "CONTAINER_STOPPED", "CONTAINER_DELETED"]
    pod_uid: str
    container_id: str


#: How much of a termination message is kept. Source: MaxContainerTerminationMessageLength.
MESSAGE_BYTES = 4096


class CriError(Exception):
    """The runtime refuses or fails; `reason` is what the kubelet shows (ErrImagePull, CreateContainerError…)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class ExecSession(Protocol):
    """A running interactive command. `output` yields (1 stdout | 2 stderr, bytes) until it ends."""

    def output(self) -> AsyncIterator[tuple[int, bytes]]: ...
    async def write(self, data: bytes) -> None: ...
    async def close_stdin(self) -> None: ...
    async def resize(self, width: int, height: int) -> None: ...
    async def exit_code(self) -> int: ...
    async def close(self) -> None: ...


class RuntimeService(Protocol):
    """One node's runtime. All methods raise CriError. Stopping or removing what is gone is not an error."""

    async def set_volume(
        self, pod_uid: str, name: str, files: dict[str, VolumeFile] | None = None, group: int = -1
    ) -> None:
        """Have a volume of the pod: what is in it stays, unless `files` are given, which then are all of its content,
        changed at once. It belongs to `group` unless that is -1. Not in the CRI: a kubelet writes to its machine's
        disk, which is not its containers' here."""
        ...

    async def volume_usage(self, pod_uid: str, names: list[str]) -> dict[str, int]:
        """Bytes on disk of those volumes of the pod; one that is not there is left out."""
        ...

    async def have_host_path(self, path: str, type_: str) -> None:
        """A path of the node's own disk (never the learner's) is as a hostPath volume's `type` says, or made so."""
        ...

    async def remove_volumes(self, pod_uid: str) -> None: ...
    async def run_pod_sandbox(self, config: SandboxConfig) -> Sandbox: ...
    async def stop_pod_sandbox(self, sandbox_id: str) -> None: ...
    async def remove_pod_sandbox(self, sandbox_id: str) -> None: ...
    async def list_pod_sandboxes(self) -> list[Sandbox]: ...
    async def create_container(self, sandbox_id: str, config: ContainerConfig) -> str: ...
    async def start_container(self, container_id: str) -> None: ...
    async def stop_container(self, container_id: str, grace_seconds: int) -> None: ...
    async def remove_container(self, container_id: str) -> None: ...
    async def list_containers(self) -> list[Container]: ...
    async def container_status(self, container_id: str) -> Container: ...
    async def termination_message(self, container_id: str) -> str:
        """The end of what an exited container wrote to its `termination_path`. Not in the CRI: see `set_volume`."""
        ...

    async def image_status(self, image: str) -> Image | None: ...
    async def pull_image(self, image: str) -> Image: ...
    async def list_images(self) -> list[Image]: ...
    async def exec_sync(self, container_id: str, command: list[str], timeout: float) -> ExecResult: ...
    async def exec(self, container_id: str, command: list[str], *, tty: bool, stdin: bool) -> ExecSession: ...
    async def attach(self, container_id: str, *, tty: bool, stdin: bool) -> ExecSession: ...
    def logs(
        self, container_id: str, *, follow: bool = False, tail: int = -1, since: float = 0.0
    ) -> AsyncIterator[LogLine]: ...
    async def stats(self) -> list[ContainerStats]: ...
    def events(self) -> AsyncIterator[RuntimeEvent]: ...
