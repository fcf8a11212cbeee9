"""What an engine is: the thing that makes nodes and runs their containers. One file per engine exports `ENGINE`.

Only `cluster` uses engines directly; nodes reach their own `RuntimeService` through the gateway.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from kubelearn.api.cri import RuntimeService


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """What an engine may know of its cluster. `second_octet` makes the address plan of this cluster its own:
    pods are 10.<second_octet>.<node>.<n>, node n is 10.<second_octet>.0.<n + 1>, the control plane is
    10.<second_octet>.0.1."""

    name: str
    home: Path
    second_octet: int
    service_cidr: str = "10.96.0.0/16"


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node to make. `index` counts from 1; `files` (kubelet.json, certificates) go into its configuration
    folder, and the node process is `python -m kubelearn.node <folder>`."""

    name: str
    index: int
    files: Mapping[str, str] = field(default_factory=dict)
    cpu: float = 2.0
    memory: int = 2 * 2**30


@dataclass(frozen=True, slots=True)
class NodeState:
    """`stopped` was switched off by a drill, `dead` ended in any other way."""

    name: str
    state: Literal["running", "stopped", "paused", "disconnected", "dead"]


class Engine(Protocol):
    """Made by `EngineFactory.make`, used inside the control-plane process. Every method may be repeated safely.
    Failures are KubelearnError with a next step."""

    @property
    def control_plane_address(self) -> str:
        """The address, on this machine, on which nodes reach the API server; `open` must have run."""
        ...

    async def open(self) -> None:
        """Connect, make the cluster's network, adopt what already runs."""
        ...

    async def close(self) -> None: ...
    async def create_node(self, spec: NodeSpec) -> None:
        """Make and start it; a node of that name that already runs is left as it is."""
        ...

    async def start_node(self, name: str) -> None: ...
    async def stop_node(self, name: str) -> None:
        """Power off: the kubelet ends and its containers with it."""
        ...

    async def kill_node(self, name: str) -> None:
        """As stop_node, with SIGKILL and no good-bye."""
        ...

    async def pause_node(self, name: str) -> None: ...
    async def unpause_node(self, name: str) -> None: ...
    async def disconnect_node(self, name: str) -> None: ...
    async def connect_node(self, name: str) -> None: ...
    async def list_nodes(self) -> list[NodeState]: ...
    def health(self) -> AsyncIterator[str]:
        """For ever: why the engine cannot be used now, and an empty string when it can again."""
        ...

    def runtime(self, node: str) -> RuntimeService: ...
    def dial(self, ip: str, port: int) -> tuple[str, int]:
        """Where on this machine a cluster address (node or pod IP) can be connected to."""
        ...

    async def destroy(self) -> None:
        """Remove every container, process, network and volume of this cluster, whatever state it is in."""
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """Something `doctor` found: what, what to do, and whether it stops the engine from working."""

    message: str
    hint: str
    fatal: bool = True


Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class EngineFactory:
    """An engine's file exports this as `ENGINE`. `check` must be quick (under 2 s) and must not raise.
    `images` builds what is missing (nothing for engines without images)."""

    name: str
    summary: str
    make: Callable[[ClusterSpec], Engine]
    check: Callable[[], list[Problem]]
    missing_images: Callable[[], list[str]]
    build_images: Callable[[Progress], None]
