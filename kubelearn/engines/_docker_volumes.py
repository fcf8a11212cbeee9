"""A pod's volumes on the docker engine: Docker volumes of its own, made before its containers and gone after them.

Content comes in by way of a carrier, a container that mounts the volume and is no pod's: the API takes an archive for it
without it running. Only a change of what is already there runs it, because no archive can rename a link in one step.
"""

from __future__ import annotations

import hashlib
import io
import shlex
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kubelearn.api.cri import MESSAGE_BYTES, Container, ContainerConfig, CriError, Mount, Sandbox, VolumeFile
from kubelearn.engines._docker_api import CLUSTER, NODE, ROLE, Docker
from kubelearn.engines._docker_images import PAUSE
from kubelearn.engines._docker_objects import POD_UID
from kubelearn.engines._payload import DATA, Payload, host_path_problem, payload

if TYPE_CHECKING:
    from docker import APIClient

#: A sandbox's volume for what its containers say when they end, and where the sandbox's own container has it.
MESSAGES, MESSAGES_AT = "termination_", "/termination"
_AT = "/volume"
_NEW = f"{DATA}_tmp"
# New names first: they lead nowhere until the content is there, and then all of it is there at once.
_SWAP = f"""cd {_AT} && for name in "$@"; do [ -L "$name" ] || ln -s "{DATA}/$name" "$name"; done
old=$(readlink {DATA}); mv -T {_NEW} {DATA} && rm -rf "$old" && for link in $(ls -A); do
[ -e "$link" ] || rm "$link"; done"""
_Bound = dict[str, Any]


class Volumes:
    """Of one node."""

    def __init__(self, docker: Docker, cluster: str, node: str) -> None:
        self._docker = docker
        self._labels = {CLUSTER: cluster, NODE: node}
        self._cluster = cluster
        self._disk = f"kubelearn-{cluster}-disk-{node}"

    async def set(self, pod_uid: str, name: str, files: dict[str, VolumeFile] | None, group: int) -> None:
        """Raises DockerError, and CriError for content that cannot be written."""
        await self._docker.call(lambda api: self._set(api, pod_uid, name, files, group))

    def _set(self, api: APIClient, pod_uid: str, name: str, files: dict[str, VolumeFile] | None, group: int) -> None:
        there = _volume(api, self._name(pod_uid, name)) is not None
        volume = self.make(api, pod_uid, name)
        if files is None:
            if not there:
                with self._carrier(api, volume, []) as carrier:
                    api.put_archive(carrier, "/", _root(group))
            return
        content = payload(files)
        command = ["-c", _SWAP, "sh", *content.links] if there else []
        with self._carrier(api, volume, command) as carrier:
            data, links = (_NEW, []) if there else (DATA, content.links)
            api.put_archive(carrier, _AT, _archive(content, data, links, group))
            if there:
                api.start(carrier)
                if code := api.wait(carrier)["StatusCode"]:
                    raise CriError(
                        "FailedMount", f"cannot change volume {name}: {shlex.join(command)} ended with {code}"
                    )

    def make(self, api: APIClient, pod_uid: str, name: str) -> str:
        """Docker's name of that volume of the pod, which is there now, empty unless it was there before."""
        volume = self._name(pod_uid, name)
        api.create_volume(volume, labels={**self._labels, POD_UID: pod_uid})
        return volume

    def in_memory(self, api: APIClient, pod_uid: str, sizes: dict[str, int]) -> list[_Bound]:
        """Made and mounted by the sandbox, which lasts: what is in them is lost when nobody mounts them any more."""
        out = []
        for name, size in sizes.items():
            options = {"type": "tmpfs", "device": "tmpfs", "o": "mode=1777" + (f",size={size}" if size else "")}
            volume = self._name(pod_uid, name)
            api.create_volume(volume, driver_opts=options, labels={**self._labels, POD_UID: pod_uid})
            out.append(volume_mount(volume, f"/memory/{name}", False))
        return out

    def usage(self, api: APIClient, pod_uid: str, names: list[str]) -> dict[str, int]:
        """Bytes on disk of those that are there, measured by a carrier each."""
        out = {}
        for name in names:
            volume = self._name(pod_uid, name)
            if _volume(api, volume) is None:
                continue
            with self._carrier(api, volume, ["-c", f"du -sk {_AT}"]) as carrier:
                api.start(carrier)
                api.wait(carrier)
                said = api.logs(carrier, stdout=True, stderr=False).split()
            if said:
                out[name] = int(said[0]) * 1024
        return out

    def have_host_path(self, api: APIClient, path: str, type_: str) -> None:
        """On the node's disk, a Docker volume of its own. Raises CriError in the kubelet's words."""
        api.create_volume(self._disk, labels=self._labels)
        inside = path.strip("/")
        with self._carrier(api, self._disk, []) as carrier:
            found = _stat(api, carrier, f"{_AT}/{inside}")
            if found is None and type_ in ("", "DirectoryOrCreate"):
                _have(api, carrier, inside)
            elif found is None and type_ == "FileOrCreate" and _stat(api, carrier, f"{_AT}/{inside}/.."):
                api.put_archive(carrier, f"{_AT}/{inside}".rpartition("/")[0], _file(inside.rpartition("/")[2], 0o644))
            found = _stat(api, carrier, f"{_AT}/{inside}")
        # Go's os.FileMode: bit 31 is a directory, 27 a symbolic link, 24 a socket
        mode = found["mode"] if found else 0
        kind = "" if not found else "directory" if mode & 1 << 31 else "socket" if mode & 1 << 24 else "file"
        if mode & 1 << 27:
            raise CriError("FailedMount", f"hostPath {path} is a symbolic link, which may lead out of the node's disk")
        if problem := host_path_problem(path, type_, kind):
            raise CriError("FailedMount", problem)

    def message_mount(self, api: APIClient, sandbox: Sandbox, config: ContainerConfig, prepare: bool) -> list[_Bound]:
        """A file of the sandbox's message volume in the place of the container's termination path; `prepare` makes it
        anew (50 ms), which for a container's first life the sandbox's own process has done."""
        volume = _volume(api, self._name(sandbox.pod_uid, f"{MESSAGES}{sandbox.attempt}"))
        if not config.termination_path or volume is None:
            return []  # a sandbox of an earlier version
        name = message_file(config.name, config.attempt)
        if prepare:
            api.put_archive(sandbox.id, MESSAGES_AT, _file(name, 0o666))
        source = f"{volume['Mountpoint']}/{name}"
        return [{"Type": "bind", "Source": source, "Target": config.termination_path, "ReadOnly": False}]

    def message(self, api: APIClient, container: Container) -> str:
        """The end of what the container wrote there."""
        from docker.errors import NotFound

        try:
            chunks, _ = api.get_archive(
                container.sandbox_id, f"{MESSAGES_AT}/{message_file(container.name, container.attempt)}"
            )
        except NotFound:
            return ""
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            file = archive.extractfile(archive.getmembers()[0])
            return file.read()[-MESSAGE_BYTES:].decode(errors="replace") if file else ""

    @contextmanager
    def _carrier(self, api: APIClient, volume: str, command: list[str]) -> Iterator[str]:
        config = {**api.create_host_config(network_mode="none"), "Mounts": [volume_mount(volume, _AT, False)]}
        made: str = api.create_container(
            PAUSE, command, entrypoint=["/bin/sh"], labels={**self._labels, ROLE: "carrier"}, host_config=config
        )["Id"]
        try:
            yield made
        finally:
            api.remove_container(made, force=True)

    def _name(self, pod_uid: str, name: str) -> str:
        pod = hashlib.sha256(pod_uid.encode()).hexdigest()[:16]
        return f"kubelearn-{self._cluster}-{pod}-{name}"

    def mounts(self, api: APIClient, sandbox: Sandbox, mounts: list[Mount]) -> list[_Bound]:
        """What Docker's host configuration calls Mounts. Raises CriError for a path that is not in its volume."""
        return [
            self._mount(api, self._disk if mount.host else self._name(sandbox.pod_uid, mount.volume), mount)
            for mount in mounts
        ]

    def _mount(self, api: APIClient, volume: str, mount: Mount) -> _Bound:
        if not mount.sub_path.strip("/"):
            return volume_mount(volume, mount.container_path, mount.read_only)
        found = _volume(api, volume)
        if found is None:
            raise CriError("CreateContainerError", f"there is no volume {mount.volume}")
        with self._carrier(api, volume, []) as carrier:
            _have(api, carrier, mount.sub_path)
        return {
            "Type": "bind",
            "Source": f"{found['Mountpoint']}/{mount.sub_path.strip('/')}",
            "Target": mount.container_path,
            "ReadOnly": mount.read_only,
        }

    async def remove(self, pod_uid: str) -> None:
        def work(api: APIClient) -> None:
            labels = [f"{POD_UID}={pod_uid}", f"{CLUSTER}={self._cluster}"]
            for volume in api.volumes(filters={"label": labels})["Volumes"] or ():
                api.remove_volume(volume["Name"], force=True)

        await self._docker.quietly(work)


def message_file(container: str, attempt: int) -> str:
    return f"{container}-{attempt}"


def _volume(api: APIClient, name: str) -> dict[str, Any] | None:
    from docker.errors import NotFound

    try:
        return api.inspect_volume(name)
    except NotFound:
        return None


def volume_mount(name: str, path: str, read_only: bool) -> _Bound:
    return {
        "Type": "volume",
        "Source": name,
        "Target": path,
        "ReadOnly": read_only,
        "VolumeOptions": {"NoCopy": True},
    }


def _file(name: str, mode: int) -> bytes:
    """An archive with one empty file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.mode, info.mtime = mode, int(time.time())
        archive.addfile(info)
    return buffer.getvalue()


def _root(group: int) -> bytes:
    """The volume's own folder: everybody writes to an emptyDir; with an fsGroup what is made in it is the group's."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(_AT.strip("/"))
        info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o777, int(time.time())
        if group >= 0:
            info.mode, info.gid = 0o2777, group
        archive.addfile(info)
    return buffer.getvalue()


def _archive(content: Payload, data: str, links: list[str], group: int) -> bytes:
    """The files, then the link that makes them visible."""
    buffer, now = io.BytesIO(), int(time.time())

    def add(path: str, kind: bytes, file: VolumeFile, target: str = "") -> None:
        info = tarfile.TarInfo(path)
        info.size, info.mode, info.mtime, info.type, info.linkname = len(file.data), file.mode, now, kind, target
        if group >= 0 and kind == tarfile.REGTYPE:
            info.gid, info.mode = group, file.mode | 0o440
        archive.addfile(info, io.BytesIO(file.data))

    with tarfile.open(fileobj=buffer, mode="w") as archive:
        add(content.folder, tarfile.DIRTYPE, VolumeFile(b"", 0o755))
        for path, file in content.entries():
            add(path, tarfile.REGTYPE, file)
        add(data, tarfile.SYMTYPE, VolumeFile(b"", 0o777), content.folder)
        for name in links:
            add(name, tarfile.SYMTYPE, VolumeFile(b"", 0o777), f"{DATA}/{name}")
    return buffer.getvalue()


def _have(api: APIClient, carrier: str, path: str) -> None:
    """Make the folder `path` of the carried volume unless it is there. A container may have put links into the volume,
    which, followed on the host, lead out of it; only our own (`key` → `..data/key`) are let through."""
    here = _AT
    for part in path.split("/"):
        here = f"{here}/{part}"
        found = _stat(api, carrier, here)
        if found is None:
            break
        # Go's os.FileMode, where a symbolic link is bit 27
        if found["mode"] & 1 << 27 and not (found["linkTarget"] or "").startswith(f"{_AT}/.."):
            raise CriError("CreateContainerError", f"subPath {path} leads out of its volume")
    else:
        return
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(path)
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(info)
    api.put_archive(carrier, _AT, buffer.getvalue())


def _stat(api: APIClient, container: str, path: str) -> dict[str, Any] | None:
    from docker.errors import NotFound

    try:
        stream, found = api.get_archive(container, path)
    except NotFound:
        return None
    stream.close()
    return dict(found)
