"""Which pods stand behind a Service's address, by its EndpointSlices."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass

from kubelearn.api.resource import Obj
from kubelearn.client.informer import Informer
from kubelearn.client.rest import Client
from kubelearn.kit.tasks import Tasks
from kubelearn.node.resources import ENDPOINT_SLICES, SERVICES

_SERVICE_LABEL = "kubernetes.io/service-name"


class NoEndpoints(Exception):
    """It is a Service's address, but nobody stands behind it: connections are refused."""


@dataclass(frozen=True, slots=True)
class NodePort:
    """A Service's port on every node."""

    port: int
    namespace: str
    service: str
    name: str


class Backends:
    """Follows Services and EndpointSlices; `start`, then ask."""

    def __init__(self, client: Client) -> None:
        self.services = Informer(client, SERVICES)
        self.slices = Informer(client, ENDPOINT_SLICES)
        self.services.add_index("ip", lambda s: [s["spec"].get("clusterIP") or ""])
        self.slices.add_index("service", lambda s: [_owner(s)])
        self._sticky: dict[tuple[str, str, str], tuple[str, int]] = {}

    async def start(self, tasks: Tasks) -> None:
        self.services.start(tasks)
        self.slices.start(tasks)
        await asyncio.gather(self.services.synced(), self.slices.synced())

    def find(self, ip: str, port: int, client: str) -> tuple[str, int] | None:
        """A pod's address for a Service's; None if `ip` is no Service's. Raises NoEndpoints."""
        for service in self.services.by_index("ip", ip):
            ports = [p for p in service["spec"].get("ports") or () if p["port"] == port]
            ports = [p for p in ports if p.get("protocol", "TCP") == "TCP"] or ports
            if not ports:
                raise NoEndpoints
            return self.choose(service, ports[0].get("name", ""), client)
        return None

    def choose(self, service: Obj, port_name: str, client: str) -> tuple[str, int]:
        """One of the ready endpoints at random, or the client's own when the Service asks for that."""
        meta = service["metadata"]
        ready = sorted(self._ready(f"{meta['namespace']}/{meta['name']}", port_name))
        if not ready:
            raise NoEndpoints
        if service["spec"].get("sessionAffinity") != "ClientIP" or not client:
            return random.choice(ready)
        key = (meta["uid"], port_name, client)
        if self._sticky.get(key) not in ready:
            self._sticky[key] = random.choice(ready)
        return self._sticky[key]

    def _ready(self, service: str, port_name: str) -> Iterator[tuple[str, int]]:
        for found in self.slices.by_index("service", service):
            ports = [p["port"] for p in found.get("ports") or () if (p.get("name") or "") == port_name]
            for endpoint in found.get("endpoints") or ():
                if ports and (endpoint.get("conditions") or {}).get("ready", True) is not False:
                    for address in endpoint.get("addresses") or ():
                        yield address, ports[0]

    def node_ports(self) -> set[NodePort]:
        return {
            NodePort(port["nodePort"], s["metadata"]["namespace"], s["metadata"]["name"], port.get("name", ""))
            for s in self.services.items()
            if s["spec"].get("type") in ("NodePort", "LoadBalancer")
            for port in s["spec"].get("ports") or ()
            if port.get("nodePort") and port.get("protocol", "TCP") == "TCP"
        }


def _owner(endpoint_slice: Obj) -> str:
    meta = endpoint_slice["metadata"]
    return f"{meta['namespace']}/{(meta.get('labels') or {}).get(_SERVICE_LABEL, '')}"
