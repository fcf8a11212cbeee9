"""A running cluster's machines, asked over its own API: `GET` and `POST /machines/v1/`, see `cluster.machines`."""

from __future__ import annotations

import asyncio
import json
from typing import Literal

from kubelearn.client import kubeconfig
from kubelearn.client.rest import whole
from kubelearn.client.transport import Request, TransportError
from kubelearn.cluster.state import ClusterFolder
from kubelearn.kit.errors import KubelearnError

_SECONDS = 30


async def _ask(folder: ClusterFolder, method: Literal["GET", "POST"]) -> dict[str, str]:
    transport = kubeconfig.transport(kubeconfig.load(folder.kubeconfig))
    try:
        async with asyncio.timeout(_SECONDS):
            answer = await transport.send(Request(method, "/machines/v1/"))
            found: dict[str, str] = json.loads(await whole(answer) or b"{}")
    except (TransportError, TimeoutError, ValueError) as error:
        raise KubelearnError(f"the control plane does not answer: {error}", f"see {folder.log}") from error
    finally:
        await transport.close()
    if answer.status >= 400:
        raise KubelearnError(found.get("error", f"the control plane answered {answer.status}"), found.get("hint", ""))
    return found


def states(folder: ClusterFolder) -> dict[str, str]:
    """Each node's machine: running, stopped, paused, disconnected or dead. Raises KubelearnError."""
    return asyncio.run(_ask(folder, "GET"))


def revive(folder: ClusterFolder) -> list[str]:
    """Start the nodes that died without a drill; returns their names. Raises KubelearnError."""
    return sorted(asyncio.run(_ask(folder, "POST")))
