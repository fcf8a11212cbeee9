"""kube-proxy's common part: one file per way to reach a Service's pods, each exporting `MODE`; the node's
configuration says which runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kubelearn.client.rest import Client
from kubelearn.kit import discover
from kubelearn.kit.tasks import Tasks
from kubelearn.node.config import NodeConfig


@dataclass(frozen=True, slots=True)
class Mode:
    """`run` returns once the proxy works; what goes on is tasks of `tasks`."""

    name: str
    summary: str
    run: Callable[[Client, NodeConfig, Tasks], Awaitable[None]]


async def run_proxy(client: Client, config: NodeConfig, tasks: Tasks) -> None:
    """Raises DiscoveryError for an unknown mode."""
    mode = discover.load("kubelearn.node.proxy", config.proxy_mode, "MODE", Mode)
    await mode.run(client, config, tasks)
