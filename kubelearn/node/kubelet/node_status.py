"""This node's own objects: the Node with its status, and the Lease that says it is alive."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubelearn.api.cri import CriError, RuntimeService
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.events import EventRecorder
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH, Client
from kubelearn.client.transport import TransportError
from kubelearn.kit.clock import rfc3339, rfc3339_micro, utc_now
from kubelearn.node.config import NodeConfig
from kubelearn.node.resources import LEASES, NODES

log = logging.getLogger(__name__)

KUBELET_VERSION = "v1.36.2"
_RETRY_SECONDS = 0.2
_MAX_RETRY_SECONDS = 5.0
_LEASE_NAMESPACE = "kube-node-lease"
_PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


class NodeStatus:
    """`register` once, then `heartbeat` and `refresh` run for ever."""

    def __init__(
        self,
        config: NodeConfig,
        client: Client,
        cri: RuntimeService,
        recorder: EventRecorder,
        runtime_problem: Callable[[], str],
    ) -> None:
        self._config = config
        self._client = client
        self._cri = cri
        self._recorder = recorder
        self.node: Obj = {}
        self._lease: Obj = {}
        self._runtime_problem = runtime_problem
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """The runtime's health has changed: write the status now."""
        self._wake.set()

    async def register(self) -> None:
        """Create the Node, or take over the one that is there; tries until the API server answers."""
        delay = _RETRY_SECONDS
        while True:
            try:
                self.node = await self._create()
                await self._renew()
                await self._write_status()
                return
            except (ApiError, TransportError, CriError) as error:
                log.info("cannot register the node yet: %s", error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _MAX_RETRY_SECONDS)

    async def _create(self) -> Obj:
        config = self._config
        node: Obj = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": config.node, "labels": _labels(config)},
            "spec": {"podCIDR": config.pod_cidr, "podCIDRs": [config.pod_cidr]},
            "status": await self._status({}),
        }
        try:
            made = await self._client.create(NODES, node)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            made = await self._client.get(NODES, config.node)
        await self._recorder.event(
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": config.node, "uid": config.node}},
            "Normal",
            "Starting",
            "Starting kubelet.",
        )
        return made

    async def heartbeat(self) -> None:
        """Renew the Lease; a failure is tried again soon, for the node's life hangs on it."""
        while True:
            try:
                await self._renew()
                await asyncio.sleep(self._config.heartbeat_seconds)
            except (ApiError, TransportError) as error:
                log.warning("cannot renew the lease: %s", error)
                self._lease = {}
                await asyncio.sleep(min(1.0, self._config.heartbeat_seconds))

    async def _renew(self) -> None:
        now = rfc3339_micro(utc_now())
        if not self._lease:
            self._lease = await self._find_lease(now)
        self._lease["spec"] |= {
            "holderIdentity": self._config.node,
            "leaseDurationSeconds": self._config.lease_seconds,
            "renewTime": now,
        }
        self._lease = await self._client.update(LEASES, self._lease)

    async def _find_lease(self, now: str) -> Obj:
        name = self._config.node
        try:
            return await self._client.get(LEASES, name, _LEASE_NAMESPACE)
        except ApiError as error:
            if error.code != 404:
                raise
        owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": self.node["metadata"]["uid"]}
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": _LEASE_NAMESPACE, "ownerReferences": [owner]},
            "spec": {
                "holderIdentity": name,
                "leaseDurationSeconds": self._config.lease_seconds,
                "renewTime": now,
            },
        }
        return await self._client.create(LEASES, lease, _LEASE_NAMESPACE)

    async def refresh(self) -> None:
        """Write the status now and then, and when the runtime or the node controller has changed its mind of it."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(self._config.status_seconds, self._config.heartbeat_seconds * 2)):
                    await self._wake.wait()
            self._wake.clear()
            try:
                self.node = await self._client.get(NODES, self._config.node)
                if self._is_due():
                    await self._write_status()
            except ApiError as error:
                if error.code == 404:
                    await self.register()
                else:
                    log.warning("cannot write the node's status: %s", error)
            except (TransportError, CriError) as error:
                log.warning("cannot write the node's status: %s", error)

    def _is_due(self) -> bool:
        """The node controller says Unknown of a node that it did not hear; and conditions show a heartbeat."""
        conditions = {c["type"]: c for c in self.node.get("status", {}).get("conditions") or ()}
        ready = conditions.get("Ready", {})
        if ready.get("status") != "True" or self._runtime_problem():
            return True
        age = utc_now().timestamp() - _seconds(ready.get("lastHeartbeatTime"))
        return age > self._config.status_seconds

    async def _write_status(self) -> None:
        patch = {"status": await self._status(self.node.get("status", {}))}
        self.node = await self._client.patch(
            NODES, self._config.node, "", patch, STRATEGIC_MERGE_PATCH, subresource="status"
        )

    async def _status(self, old: Obj) -> Obj:
        config = self._config
        problem = self._runtime_problem()
        images: list[Obj] = []
        try:
            if not problem:
                images = [{"names": i.tags, "sizeBytes": i.size} for i in await self._cri.list_images()]
        except CriError as error:
            problem = error.message
        return {
            "addresses": [
                {"type": "InternalIP", "address": config.node_ip},
                {"type": "Hostname", "address": config.node},
            ],
            "capacity": config.capacity,
            "allocatable": config.capacity,
            "conditions": _conditions(old, problem and f"container runtime is down: {problem}"),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": config.kubelet_port}},
            "nodeInfo": node_info(config.engine),
            "images": images[:50],
        }


def _labels(config: NodeConfig) -> dict[str, str]:
    arch = _architecture()
    return {
        "beta.kubernetes.io/arch": arch,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": arch,
        "kubernetes.io/hostname": config.node,
        "kubernetes.io/os": "linux",
    }


def _architecture() -> str:
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _conditions(old: Obj, problem: str) -> list[Obj]:
    now = rfc3339(utc_now())
    before = {c["type"]: c for c in old.get("conditions") or ()}
    wanted = [(name, "False", reason, message) for name, reason, message in _PRESSURES]
    if problem:
        wanted.append(("Ready", "False", "KubeletNotReady", problem))
    else:
        wanted.append(("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
    return [
        {
            "type": name,
            "status": status,
            "lastHeartbeatTime": now,
            "lastTransitionTime": (
                before[name]["lastTransitionTime"] if before.get(name, {}).get("status") == status else now
            ),
            "reason": reason,
            "message": message,
        }
        for name, status, reason, message in wanted
    ]


def _seconds(text: Any) -> float:
    from kubelearn.kit.clock import parse

    return parse(text).timestamp() if text else 0.0


def node_info(engine: str) -> Obj:
    uname = os.uname()
    return {
        "machineID": _read("/etc/machine-id"),
        "systemUUID": _read("/etc/machine-id"),
        "bootID": _read("/proc/sys/kernel/random/boot_id"),
        "kernelVersion": uname.release,
        "osImage": _os_name(),
        "containerRuntimeVersion": f"{engine}://kubelearn",
        "kubeletVersion": KUBELET_VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": _architecture(),
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _os_name() -> str:
    for line in _read("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()
