"""A pod's volumes on the docker engine: Docker volumes that go with it.

An emptyDir belongs to the pod and lives as long. The content of a configMap or secret is put into a volume of the one
container that mounts it; it must be there before the container is, and a read-only mount cannot be written through
that container, so another one, never started, carries it in.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kubelearn.api.cri import Mount, Sandbox
from kubelearn.engines._docker_api import CLUSTER, NODE, ROLE, Docker
from kubelearn.engines._docker_images import PAUSE, pack
from kubelearn.engines._docker_objects import POD_UID

if TYPE_CHECKING:
    from docker import APIClient

_SANDBOX = "kubelearn.dev/sandbox"
_FILES = "kubelearn-files-"
_Bound = dict[str, Any]


class Volumes:
    """Of one node."""

    def __init__(self, docker: Docker, cluster: str, node: str) -> None:
        self._docker = docker
        self._cluster = cluster
        self._node = node

    async def prepare(self, sandbox: Sandbox, mounts: list[Mount]) -> list[_Bound]:
        """Make and fill them; what Docker's host configuration calls Mounts. Raises DockerError."""
        if not mounts:
            return []
        return await self._docker.call(lambda api: self._prepare(api, sandbox, mounts))

    def _prepare(self, api: APIClient, sandbox: Sandbox, mounts: list[Mount]) -> list[_Bound]:
        named = [(self._name(sandbox, mount), mount) for mount in mounts]
        for name, mount in named:
            labels = {CLUSTER: self._cluster, NODE: self._node, POD_UID: sandbox.pod_uid}
            if mount.kind == "files":
                labels[_SANDBOX] = sandbox.id
            api.create_volume(name, labels=labels)
        self._fill(api, {name: mount for name, mount in named if mount.kind == "files"})
        return [_bound(name, mount.container_path, mount.read_only) for name, mount in named]

    def _name(self, sandbox: Sandbox, mount: Mount) -> str:
        """The same for all containers of the pod that mount an emptyDir."""
        if mount.kind == "files":
            return _FILES + secrets.token_hex(16)
        pod = hashlib.sha256(sandbox.pod_uid.encode()).hexdigest()[:16]
        return f"kubelearn-{self._cluster}-{pod}-{mount.name}"

    def _fill(self, api: APIClient, content: dict[str, Mount]) -> None:
        bound = [_bound(name, f"/{number}", False) for number, name in enumerate(content)]
        files = [
            (f"{number}/{path}", data.encode("latin-1"))
            for number, mount in enumerate(content.values())
            for path, data in mount.files.items()
        ]
        if not files:
            return
        labels = {CLUSTER: self._cluster, NODE: self._node, ROLE: "carrier"}
        made = api.create_container(PAUSE, labels=labels, host_config={**api.create_host_config(), "Mounts": bound})
        try:
            api.put_archive(made["Id"], "/", pack(files, at=time.time()))
        finally:
            api.remove_container(made["Id"], force=True)

    async def drop(self, names: Iterable[str]) -> None:
        """Of these volumes, which a container had, those that were its own."""
        for name in names:
            if name.startswith(_FILES):
                await self._docker.quietly(lambda api, n=name: api.remove_volume(n, force=True))  # type: ignore[misc]

    async def remove(self, sandbox: Sandbox, last: bool) -> None:
        """Those of a sandbox whose containers are gone; with the pod's last sandbox its emptyDirs too."""

        def work(api: APIClient) -> None:
            labels = [f"{POD_UID}={sandbox.pod_uid}", f"{CLUSTER}={self._cluster}"]
            if not last:
                labels.append(f"{_SANDBOX}={sandbox.id}")
            for volume in api.volumes(filters={"label": labels})["Volumes"] or ():
                api.remove_volume(volume["Name"], force=True)

        await self._docker.quietly(work)


def _bound(name: str, path: str, read_only: bool) -> _Bound:
    return {
        "Type": "volume",
        "Source": name,
        "Target": path,
        "ReadOnly": read_only,
        "VolumeOptions": {"NoCopy": True},
    }
