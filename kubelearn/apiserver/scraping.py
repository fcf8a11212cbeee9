"""Asks each kubelet what its pods use, again and again: metrics-server's half that fills metrics.k8s.io."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import streams

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

log = logging.getLogger(__name__)

_NODES = Resource("", "v1", "Node", "nodes", "node", False)
#: metrics-server's own resolution is 15 s; a lesson is shorter.
_EVERY_SECONDS = 10.0
_PATIENCE = aiohttp.ClientTimeout(total=5.0)


async def run(server: ApiServer) -> None:
    """Until cancelled."""
    while True:
        await once(server)
        await asyncio.sleep(_EVERY_SECONDS)


async def once(server: ApiServer) -> None:
    nodes = await server.read_all(_NODES)
    await asyncio.gather(*(_scrape(server, node) for node in nodes))


async def _scrape(server: ApiServer, node: Obj) -> None:
    name = node["metadata"]["name"]
    try:
        server.usage.sample(name, await _summary(server, node))
    except (aiohttp.ClientError, OSError, TimeoutError, ApiError, orjson.JSONDecodeError) as error:
        log.info("no usage of node %s: %s", name, error)
        server.usage.forget(name)


async def _summary(server: ApiServer, node: Obj) -> Any:
    host, port = streams.kubelet_address(node)
    url = server.outbound.url("https", host, port, "/stats/summary", [])
    async with server.outbound.session.get(
        url, ssl=server.outbound.kubelet_ssl, timeout=_PATIENCE, headers={"Accept-Encoding": "identity"}
    ) as answer:
        answer.raise_for_status()
        return orjson.loads(await answer.read())
