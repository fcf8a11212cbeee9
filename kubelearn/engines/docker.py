"""The engine on Docker: nodes are containers with addresses of their own, pods are containers beside them.

All of a cluster hangs on one bridge network; a node is the gateway of its pods, and its nftables rules carry Services.
What there is, is written in Docker's labels only, so that any later control plane, or `down` alone, finds it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from kubelearn.engines import _docker_api, _docker_images
from kubelearn.engines._docker_api import CLUSTER, NODE, ROLE, Docker, DockerError
from kubelearn.engines._docker_images import node_tag, pack
from kubelearn.engines._docker_objects import NODE_ROLE
from kubelearn.engines._docker_runtime import DockerRuntime, NodePlan
from kubelearn.engines._docker_state import State
from kubelearn.engines.base import ClusterSpec, EngineFactory, NodeSpec, NodeState, Problem
from kubelearn.kit.errors import KubelearnError
from kubelearn.kit.tasks import Tasks

if TYPE_CHECKING:
    from docker import APIClient

_INDEX = "kubelearn.dev/index"
_FOLDER = "/etc/kubelearn"
_CHECK_SECONDS = 1.5
_STOP_SECONDS = 2
#: The node forwards its pods' packets, out of the interface they came in by, and must not tell pods of short cuts.
_SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
}

Inspected = dict[str, Any]


class DockerEngine:
    """See `engines.base.Engine`."""

    def __init__(self, spec: ClusterSpec) -> None:
        self._spec = spec
        self._docker = Docker()
        self._tasks = Tasks(f"engine-{spec.name}")
        self._state = State(self._docker, spec.name, self._tasks)
        self._indices: dict[str, int] = {}
        self._runtimes: dict[str, DockerRuntime] = {}
        self._off: set[str] = set()  # switched off by a drill

    @property
    def _network(self) -> str:
        return f"kubelearn-{self._spec.name}"

    @property
    def _prefix(self) -> str:
        return f"10.{self._spec.second_octet}"

    @property
    def control_plane_address(self) -> str:
        """The bridge's own address, which is this machine's."""
        return f"{self._prefix}.0.1"

    def dial(self, ip: str, port: int) -> tuple[str, int]:
        return ip, port

    async def open(self) -> None:
        await self._docker.call(self._make_network)
        for inspected in await self._nodes():
            labels = inspected["Labels"]
            self._indices[labels[NODE]] = int(labels[_INDEX])
        await self._state.open()

    def _make_network(self, api: APIClient) -> None:
        from docker.types import IPAMConfig, IPAMPool

        subnet = f"{self._prefix}.0.0/16"
        for network in api.networks(names=[self._network]):
            if network["Name"] != self._network:
                continue
            if [c.get("Subnet") for c in network["IPAM"]["Config"]] == [subnet]:
                return
            if api.inspect_network(network["Id"])["Containers"]:
                raise KubelearnError(
                    f"the Docker network {self._network} is in use and is not {subnet}: "
                    f'a cluster "{self._spec.name}" of another state folder runs here',
                    "take another name: kubelearn up --name NAME",
                )
            api.remove_network(network["Id"])  # what a cluster that was never taken down left behind
        pool = IPAMPool(subnet=subnet, gateway=self.control_plane_address)
        try:
            api.create_network(
                self._network,
                driver="bridge",
                ipam=IPAMConfig(pool_configs=[pool]),
                labels={CLUSTER: self._spec.name},
                check_duplicate=True,
            )
        except Exception as error:
            if "overlap" in str(error).lower():
                raise KubelearnError(
                    f"{subnet} overlaps with another network of this machine",
                    f"see: docker network ls; or start anew: kubelearn down --name {self._spec.name}",
                ) from error
            raise

    async def close(self) -> None:
        """Nodes and containers go on."""
        await self._tasks.close()
        self._docker.close()

    # Nodes

    async def _nodes(self, name: str = "") -> list[Inspected]:
        """As Docker lists them."""
        labels = [f"{CLUSTER}={self._spec.name}", f"{ROLE}={NODE_ROLE}"] + ([f"{NODE}={name}"] if name else [])
        return await self._docker.call(lambda api: api.containers(all=True, filters={"label": labels}))

    async def _node(self, name: str) -> Inspected:
        """Raises KubelearnError for a node that was never made."""
        found = await self._nodes(name)
        if not found:
            raise KubelearnError(f'no node "{name}"', "see the nodes with: kubelearn kubectl get nodes")
        return found[0]

    async def create_node(self, spec: NodeSpec) -> None:
        """A node with another version's image is made anew; its pods do not notice."""
        self._indices[spec.name] = spec.index
        self._off.discard(spec.name)
        tag = node_tag()
        image = await self._docker.call(lambda api: str(_docker_api.image(api, tag)["Id"]))
        for old in await self._nodes(spec.name):
            if old["ImageID"] == image and old["State"] in ("running", "paused"):
                return
            await self._docker.quietly(lambda api, i=old["Id"]: api.remove_container(i, force=True))  # type: ignore[misc]
        await self._docker.call(lambda api: self._make_node(api, tag, spec))

    def _make_node(self, api: APIClient, tag: str, spec: NodeSpec) -> None:
        from docker.types import LogConfig

        labels = {CLUSTER: self._spec.name, ROLE: NODE_ROLE, NODE: spec.name, _INDEX: str(spec.index)}
        endpoint: Any = {self._network: api.create_endpoint_config(ipv4_address=self._node_ip(spec.index))}
        made = api.create_container(
            tag,
            name=f"{self._network}-{spec.name}",
            hostname=spec.name,
            labels=labels,
            host_config=api.create_host_config(
                network_mode=self._network,
                cap_add=["NET_ADMIN"],
                sysctls=_SYSCTLS,
                init=True,
                log_config=LogConfig(type="json-file", config={"max-size": "10m", "max-file": "2"}),
            ),
            networking_config=api.create_networking_config(endpoint),
        )
        files = [(f"{_FOLDER[1:]}/{name}", text.encode()) for name, text in spec.files.items()]
        if files:
            api.put_archive(made["Id"], "/", pack(files, mode=0o600))
        api.start(made["Id"])

    def _node_ip(self, index: int) -> str:
        return f"{self._prefix}.0.{index + 1}"

    async def start_node(self, name: str) -> None:
        node = await self._node(name)
        await self._docker.quietly(lambda api: api.start(node["Id"]))
        self._off.discard(name)

    async def stop_node(self, name: str) -> None:
        """The kubelet ends first: a dead machine does not report its pods' end."""
        node = await self._node(name)
        self._off.add(name)
        await self._resume(name)
        await self._docker.quietly(lambda api: api.stop(node["Id"], timeout=_STOP_SECONDS))
        await self._power_off(name)

    async def kill_node(self, name: str) -> None:
        node = await self._node(name)
        self._off.add(name)
        await self._docker.quietly(lambda api: api.kill(node["Id"], "SIGKILL"))
        await self._power_off(name)

    async def _power_off(self, name: str) -> None:
        """Every container of its pods is killed: what a machine looks like when it boots again."""
        await self._each(name, lambda api, i: api.kill(i, "SIGKILL"))

    async def _each(self, name: str, work: Any, state: str = "running") -> None:
        """`work(api, id)` for each of the node's pods' containers in that state."""
        chosen = {"label": [f"{CLUSTER}={self._spec.name}", f"{NODE}={name}"], "status": [state]}
        listed = await self._docker.call(lambda api: api.containers(filters=chosen))
        mine = [c["Id"] for c in listed if c["Labels"].get(ROLE) != NODE_ROLE]
        await asyncio.gather(*(self._docker.quietly(lambda api, i=i: work(api, i)) for i in mine))  # type: ignore[misc]

    async def pause_node(self, name: str) -> None:
        node = await self._node(name)
        if node["State"] not in ("running", "paused"):
            raise KubelearnError(f'node "{name}" is stopped', f"start it with: kubelearn node start {name}")
        await self._docker.quietly(lambda api: api.pause(node["Id"]))
        await self._each(name, lambda api, i: api.pause(i))

    async def unpause_node(self, name: str) -> None:
        await self._node(name)
        await self._resume(name)

    async def _resume(self, name: str) -> None:
        await self._each(name, lambda api, i: api.unpause(i), "paused")
        for node in await self._nodes(name):
            if node["State"] == "paused":
                await self._docker.quietly(lambda api, i=node["Id"]: api.unpause(i))  # type: ignore[misc]

    async def disconnect_node(self, name: str) -> None:
        """Its pods lose the way out with it, because they send everything through it."""
        node = await self._node(name)
        if self._network in _networks(node):
            await self._docker.call(
                lambda api: api.disconnect_container_from_network(node["Id"], self._network, force=True)
            )

    async def connect_node(self, name: str) -> None:
        node = await self._node(name)
        if self._network not in _networks(node):
            ip = self._node_ip(int(node["Labels"][_INDEX]))
            await self._docker.call(
                lambda api: api.connect_container_to_network(node["Id"], self._network, ipv4_address=ip)
            )

    async def list_nodes(self) -> list[NodeState]:
        found = sorted(await self._nodes(), key=lambda n: int(n["Labels"][_INDEX]))
        return [NodeState(node["Labels"][NODE], self._state_of(node)) for node in found]

    def _state_of(self, node: Inspected) -> Any:
        if node["State"] == "paused":
            return "paused"
        if node["State"] != "running":
            return "stopped" if node["Labels"][NODE] in self._off else "dead"
        return "running" if self._network in _networks(node) else "disconnected"

    def health(self) -> AsyncIterator[str]:
        return self._docker.health.changes()

    # Pods

    def runtime(self, node: str) -> DockerRuntime:
        if node not in self._runtimes:
            if node not in self._indices:
                raise KubelearnError(f'no node "{node}"', "see the nodes with: kubelearn kubectl get nodes")
            index = self._indices[node]
            plan = NodePlan(node, self._spec.name, self._network, f"{self._prefix}.{index}", self._node_ip(index))
            self._runtimes[node] = DockerRuntime(plan, self._docker, self._state)
        return self._runtimes[node]

    async def destroy(self) -> None:
        """Works on what Docker's labels say, opened or not."""
        label = {"label": f"{CLUSTER}={self._spec.name}"}
        listed = await self._docker.call(lambda api: api.containers(all=True, filters=label))
        await asyncio.gather(
            *(
                self._docker.quietly(lambda api, i=c["Id"]: api.remove_container(i, force=True, v=True))  # type: ignore[misc]
                for c in listed
            )
        )
        volumes = await self._docker.call(lambda api: api.volumes(filters=label)["Volumes"] or [])
        networks = await self._docker.call(lambda api: api.networks(filters=label))
        for volume in volumes:
            await self._docker.quietly(lambda api, v=volume["Name"]: api.remove_volume(v, force=True))  # type: ignore[misc]
        for network in networks:
            await self._docker.quietly(lambda api, n=network["Id"]: api.remove_network(n))  # type: ignore[misc]


def _networks(node: Inspected) -> Any:
    return (node.get("NetworkSettings") or {}).get("Networks") or {}


def check() -> list[Problem]:
    """Docker must be on this very machine: its bridges carry the nodes' and pods' addresses."""
    try:
        api = _docker_api.connect(_CHECK_SECONDS)
        with contextlib.closing(api), _docker_api.errors():
            info = api.info()
    except DockerError as error:
        return [Problem(error.message, error.hint)]
    hint = "take the process engine, or Docker Engine on Linux"
    if "Docker Desktop" in str(info.get("OperatingSystem", "")):
        return [Problem("Docker Desktop runs containers in a virtual machine, out of this machine's reach", hint)]
    if any("rootless" in option for option in info.get("SecurityOptions") or ()):
        return [Problem("rootless Docker keeps its networks out of this machine's reach", hint)]
    if info.get("OSType") != "linux":
        return [Problem("Docker runs Windows containers", hint)]
    return []


ENGINE = EngineFactory(
    "docker",
    "nodes and pods are containers; any image; Services by nftables",
    DockerEngine,
    check,
    _docker_images.missing_images,
    _docker_images.build_images,
)
