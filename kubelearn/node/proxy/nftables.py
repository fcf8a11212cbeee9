"""kube-proxy by packet rewriting: a node with its own network turns Services' addresses into pods' by nftables.

Rules are written anew as a whole on each change, in one transaction, so that no packet meets half of them. The way to
the other nodes' pods is set here too: somebody has to be the network plugin.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from kubelearn.client.informer import Informer
from kubelearn.client.rest import Client
from kubelearn.kit.tasks import Tasks
from kubelearn.node.config import NodeConfig
from kubelearn.node.proxy import _nft_rules as rules
from kubelearn.node.proxy._routes import Routes, wanted
from kubelearn.node.proxy.base import Mode
from kubelearn.node.resources import ENDPOINT_SLICES, NODES, SERVICES

log = logging.getLogger(__name__)

_GATHER_SECONDS = 0.03  # a burst of changes is written once
_LOOK_SECONDS = 2.0  # the interface may have been unplugged and have lost its routes
_RETRY_SECONDS = 1.0


class NftablesProxy:
    """`start`, then it follows."""

    def __init__(self, client: Client, config: NodeConfig) -> None:
        self._config = config
        self._services = Informer(client, SERVICES)
        self._slices = Informer(client, ENDPOINT_SLICES)
        self._nodes = Informer(client, NODES)
        self._routes = Routes()
        self._changed = asyncio.Event()
        self._applied: rules.Ruleset | None = None

    async def start(self, tasks: Tasks) -> None:
        """Returns once the rules are in force."""
        informers = (self._services, self._slices, self._nodes)
        for informer in informers:
            informer.add_handler(lambda *_: self._changed.set())
            informer.start(tasks)
        await asyncio.gather(*(i.synced() for i in informers))
        await self._write()
        log.info("%s: nftables carry %d Services", self._config.node, len(self._services.items()))
        tasks.start(self._follow(), "nftables")

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._changed.wait()
                    await asyncio.sleep(_GATHER_SECONDS)
            await self._write()

    async def _write(self) -> None:
        self._changed.clear()
        routes = wanted(self._nodes.items(), self._config.node)
        await self._routes.set(routes)
        place = rules.Place(self._config.node, self._config.node_ip, self._config.pod_cidr, frozenset(routes))
        new = rules.ruleset(self._services.items(), self._slices.items(), place)
        if new == self._applied:
            return
        if problem := await _nft(new.script(self._applied)):
            log.error("nft: %s", problem)
            self._applied = None
            await asyncio.sleep(_RETRY_SECONDS)
            self._changed.set()
            return
        self._applied = new


async def _nft(script: str) -> str:
    """Apply it as one transaction; the problem, or nothing."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("nft", "-f", "-", stdin=pipe, stdout=pipe, stderr=pipe)
    _, problem = await process.communicate(script.encode())
    return problem.decode().strip() if process.returncode else ""


async def run(client: Client, config: NodeConfig, tasks: Tasks) -> None:
    await NftablesProxy(client, config).start(tasks)


MODE = Mode("nftables", "packets' destinations are rewritten by the node's nftables", run)
