"""How commands reach a cluster: its folder, a client of it, bringing it up; and what they say meanwhile."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from kubelearn.cli.options import default_name
from kubelearn.kit.errors import KubelearnError

if TYPE_CHECKING:
    from kubelearn.cluster.state import ClusterConfig, ClusterFolder


def folder_of(name: str) -> ClusterFolder:
    from kubelearn.cluster.state import ClusterFolder

    return ClusterFolder.of(name)


def bring_up(options: argparse.Namespace) -> ClusterConfig:
    from dataclasses import fields

    from kubelearn.cluster.lifecycle import Wanted, up

    wanted = Wanted(**{field.name: getattr(options, field.name, None) for field in fields(Wanted)})
    return up(folder_of(options.name), wanted, say)


def running(name: str) -> ClusterFolder:
    folder = folder_of(name)
    if folder.read() is None:
        raise KubelearnError(f'no cluster "{name}"', f"start one with: kubelearn up{name_flag(name)}")
    if folder.daemon_pid() is None:
        raise KubelearnError(f'cluster "{name}" is stopped', f"resume it with: kubelearn up{name_flag(name)}")
    return folder


def with_client(name: str, work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """Run `work` with a client of the cluster."""
    from kubelearn.api.errors import ApiError
    from kubelearn.client import kubeconfig
    from kubelearn.client.rest import Client
    from kubelearn.client.transport import TransportError

    folder = running(name)

    async def run() -> Any:
        transport = kubeconfig.transport(kubeconfig.load(folder.kubeconfig))
        try:
            return await work(Client(transport))
        except (ApiError, TransportError) as error:
            raise KubelearnError(f'cluster "{name}": {error}', f"look at: kubelearn status{name_flag(name)}") from error
        finally:
            await transport.close()

    return asyncio.run(run())


def name_flag(name: str) -> str:
    return "" if name == default_name() else f" --name {name}"


def say(text: str) -> None:
    """Progress goes to standard error, so that standard output stays the answer."""
    print(text, file=sys.stderr, flush=True)


def tell(text: str) -> None:
    """An answer that comes bit by bit is seen bit by bit, through a pipe too."""
    print(text, flush=True)
