"""What the process engine keeps on disk of pods, so that a new control plane finds what runs.

    HOME/disks/NODE/                             the node's own disk: hostPath volumes
    HOME/pods/POD_UID/volumes/NAME               volumes, shared by the pod's containers
    HOME/pods/POD_UID/SANDBOX/sandbox.json
    HOME/pods/POD_UID/SANDBOX/CONTAINER/         container.json, root/, message (what it says when it ends), and the
                                                 shim's: shim, log, sock, exit

Folders are named by the first 12 characters of ids. Blocking: callers run it in a thread.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kubelearn.api.cri import MESSAGE_BYTES, Container, ContainerConfig, CriError, Sandbox, SandboxConfig
from kubelearn.engines import _process_watch
from kubelearn.engines._payload import DATA, Payload, host_path_problem

log = logging.getLogger(__name__)

SHORT = 12
_MESSAGE = "message"


@dataclass(slots=True)
class SandboxRecord:
    id: str
    node: str
    ip: str
    created_at: float
    config: SandboxConfig
    ready: bool = True

    def folder(self, pods: Path) -> Path:
        return pods / self.config.pod_uid / self.id[:SHORT]

    def view(self) -> Sandbox:
        c = self.config
        state = "READY" if self.ready else "NOTREADY"
        return Sandbox(
            self.id,
            c.pod_namespace,
            c.pod_name,
            c.pod_uid,
            self.ip if self.ready else "",
            state,  # type: ignore[arg-type]
            self.created_at,
            c.attempt,
        )


@dataclass(slots=True)
class ShimState:
    """What the shim says of itself: its pid with start time, the main process's, and when that started."""

    pid: int
    start: str
    child: int
    child_start: str
    at: float


@dataclass(slots=True)
class ContainerRecord:
    """`env` is the whole environment of the main process; `argv` what it runs."""

    id: str
    sandbox_id: str
    pod_uid: str
    image_id: str
    created_at: float
    argv: list[str]
    env: dict[str, str]
    config: ContainerConfig
    folder: Path = field(default_factory=Path)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def directory(self) -> Path:
        """Where the main process starts."""
        return self.root / self.config.working_dir.lstrip("/")

    def shim(self) -> ShimState | None:
        """None before the container has started."""
        text = _read(self.folder / "shim").split()
        if len(text) != 5:
            return None
        return ShimState(int(text[0]), text[1], int(text[2]), text[3], float(text[4]))

    def exit(self) -> tuple[int, float, str] | None:
        """Exit code, time and reason; None while it runs, or if its shim was killed."""
        text = _read(self.folder / "exit").split()
        return (int(text[0]), float(text[1]), text[2]) if len(text) == 3 else None

    def view(self) -> Container:
        out = Container(
            self.id,
            self.sandbox_id,
            self.config.name,
            self.pod_uid,
            self.config.image,
            self.image_id,
            self.config.attempt,
            "CREATED",
            self.created_at,
        )
        if shim := self.shim():
            out.state, out.started_at = "RUNNING", shim.at
        if ended := self.exit():
            out.state = "EXITED"
            out.exit_code, out.finished_at, out.reason = ended
        return out


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def write(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(data))
    new.rename(path)


def save_sandbox(pods: Path, record: SandboxRecord) -> None:
    write(record.folder(pods) / "sandbox.json", asdict(record))


def save_container(record: ContainerRecord) -> None:
    data = asdict(record)
    del data["folder"]
    write(record.folder / "container.json", data)


def save_exit(record: ContainerRecord, code: int, at: float, reason: str) -> None:
    """On behalf of a shim that cannot."""
    new = record.folder / "exit.new"
    new.write_text(f"{code} {at} {reason}")
    new.rename(record.folder / "exit")


def load(pods: Path, node: str) -> Iterator[tuple[SandboxRecord, list[ContainerRecord]]]:
    """Everything of that node; half-written folders (a crash between mkdir and write) are skipped. A damaged record
    (a disk that was full, a machine that lost power) ends its sandbox: the kubelet then makes a new one."""
    for path in sorted(pods.glob("*/*/sandbox.json")):
        try:
            data = json.loads(path.read_text())
            if data["node"] != node:
                continue
            config = SandboxConfig(**data.pop("config"))
            found = SandboxRecord(**data, config=config), [_container(p) for p in path.parent.glob("*/container.json")]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("%s is damaged (%s): its containers end", path.parent, error)
            _process_watch.kill_inside(path.parent)
            remove(path.parent)
            continue
        yield found


def _container(path: Path) -> ContainerRecord:
    data = json.loads(path.read_text())
    config = ContainerConfig.load(data.pop("config"))
    return ContainerRecord(**data, config=config, folder=path.parent)


def make_root(pods: Path, disk: Path, record: ContainerRecord) -> None:
    """The container's folder with its volumes linked in: a volume at /data appears as ./data.
    Raises CriError for a subPath that leads out of its volume."""
    sources = [
        _mounted(disk if mount.host else volume(pods, record.pod_uid, mount.volume), mount.sub_path)
        for mount in record.config.mounts
    ]
    record.root.mkdir(parents=True)
    for mount, source in zip(record.config.mounts, sources, strict=True):
        link = record.root / mount.container_path.strip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source)
    if path := record.config.termination_path.strip("/"):
        link = record.root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        (record.folder / _MESSAGE).touch()
        if not link.exists():
            link.symlink_to(record.folder / _MESSAGE)
    record.directory.mkdir(parents=True, exist_ok=True)


def last_words(record: ContainerRecord) -> str:
    """The end of what the container wrote to its termination path."""
    try:
        text = (record.folder / _MESSAGE).read_bytes()
    except FileNotFoundError:
        return ""
    return text[-MESSAGE_BYTES:].decode(errors="replace")


def _mounted(folder: Path, sub_path: str) -> Path:
    source = folder / sub_path
    if not source.resolve().is_relative_to(folder.resolve()):
        raise CriError("CreateContainerError", f"subPath {sub_path} leads out of its volume")
    if not source.exists():
        source.mkdir(parents=True)
    return source


def have_host_path(disk: Path, path: str, type_: str) -> None:
    """Raises CriError in the kubelet's words."""
    place = disk / path.strip("/")
    disk.mkdir(parents=True, exist_ok=True)
    if not place.resolve().is_relative_to(disk.resolve()):
        raise CriError("FailedMount", f"hostPath {path} leads out of the node's disk")
    try:
        if not place.exists() and type_ in ("", "DirectoryOrCreate"):
            place.mkdir(parents=True)
        elif not place.exists() and type_ == "FileOrCreate" and place.parent.is_dir():
            place.touch()
    except OSError as error:
        raise CriError("FailedMount", f"{path}: {error.strerror}") from error
    kind = "directory" if place.is_dir() else "file" if place.is_file() else "socket" if place.is_socket() else ""
    if problem := host_path_problem(path, type_, kind):
        raise CriError("FailedMount", problem)


def volume(pods: Path, pod_uid: str, name: str) -> Path:
    return pods / pod_uid / "volumes" / name


def volume_usage(pods: Path, pod_uid: str, names: list[str]) -> dict[str, int]:
    """Bytes on disk."""
    folders = {name: volume(pods, pod_uid, name) for name in names}
    return {name: _usage(folder) for name, folder in folders.items() if folder.is_dir()}


def _usage(folder: Path) -> int:
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(here, name)).st_blocks * 512  # noqa: PTH118  faster, for many files
    return total


def write_payload(folder: Path, content: Payload) -> None:
    """The volume's new content, there at once; the old one goes."""
    (folder / content.folder).mkdir()
    for name, file in content.entries():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        path.chmod(file.mode)
    data, new = folder / DATA, folder / f"{DATA}_tmp"
    old = data.readlink() if data.is_symlink() else None
    new.symlink_to(content.folder)
    for name in content.links:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"{DATA}/{name}")
    new.rename(data)
    for link in folder.iterdir():
        if link.is_symlink() and not link.exists():
            link.unlink()
    if old is not None:
        remove(folder / old)


def remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
