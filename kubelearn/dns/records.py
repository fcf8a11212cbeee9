"""What a cluster name means: pure look-ups in Services and EndpointSlices.

Source: the Kubernetes DNS-based service discovery specification, version 1.1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kubelearn.api.resource import Obj


@dataclass(frozen=True, slots=True)
class Srv:
    """One SRV record; all have the same priority and weight."""

    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`exists` tells NODATA (the name is there, without such records) from NXDOMAIN."""

    exists: bool
    addresses: tuple[str, ...] = ()
    cname: str = ""
    services: tuple[Srv, ...] = ()


MISSING = Answer(False)


class Zone:
    """Answers below `domain`. `service(namespace, name)` and `slices(namespace, name)` look at what is there now."""

    def __init__(
        self,
        domain: str,
        service: Callable[[str, str], Obj | None],
        slices: Callable[[str, str], Iterable[Obj]],
        has_namespace: Callable[[str], bool],
    ) -> None:
        self._labels = domain.lower().split(".")
        self._domain = domain
        self._service, self._slices, self._has_namespace = service, slices, has_namespace

    def covers(self, name: str) -> bool:
        return name.lower().rstrip(".").split(".")[-len(self._labels) :] == self._labels

    def look_up(self, name: str) -> Answer:
        """Any name below the domain."""
        labels = name.lower().rstrip(".").split(".")[: -len(self._labels)]
        if not labels:
            return Answer(True)
        *front, kind = labels
        if kind == "pod":
            return self._pod(front)
        if kind != "svc":
            return MISSING
        if not front:
            return Answer(True)
        *front, namespace = front
        if not front:
            return Answer(self._has_namespace(namespace))
        *front, service_name = front
        service = self._service(namespace, service_name)
        if service is None:
            return MISSING
        return self._of_service(service, namespace, service_name, front)

    def _pod(self, labels: list[str]) -> Answer:
        """`10-244-1-4.NAMESPACE.pod`: the address is in the name."""
        if len(labels) != 2 or not self._has_namespace(labels[1]):
            return MISSING
        parts = labels[0].split("-")
        good = len(parts) == 4 and all(p.isdigit() and int(p) < 256 for p in parts)
        return Answer(True, (".".join(parts),)) if good else MISSING

    def _of_service(self, service: Obj, namespace: str, name: str, front: list[str]) -> Answer:
        spec = service["spec"]
        headless = spec.get("clusterIP") == "None"
        if spec.get("type") == "ExternalName":
            return MISSING if front else Answer(True, cname=spec["externalName"])
        if not front:
            addresses = tuple(self._endpoint_addresses(namespace, name)) if headless else (spec["clusterIP"],)
            return Answer(True, addresses)
        if len(front) == 2 and front[0].startswith("_") and front[1].startswith("_"):
            return self._srv(spec, namespace, name, front[0][1:], front[1][1:], headless)
        if len(front) == 1 and headless:
            found = tuple(a for host, a, _ in self._endpoints(namespace, name) if host == front[0])
            return Answer(True, found) if found else MISSING
        return MISSING

    def _srv(self, spec: Obj, namespace: str, name: str, port: str, protocol: str, headless: bool) -> Answer:
        target = f"{name}.{namespace}.svc.{self._domain}"
        if headless:
            found = tuple(
                Srv(number, f"{host}.{target}")
                for host, _, ports in self._endpoints(namespace, name)
                for port_name, port_protocol, number in ports
                if (port_name, port_protocol.lower()) == (port, protocol)
            )
        else:
            found = tuple(
                Srv(p["port"], target)
                for p in spec.get("ports") or ()
                if (p.get("name", ""), p.get("protocol", "TCP").lower()) == (port, protocol)
            )
        return Answer(True, services=found) if found else MISSING

    def _endpoint_addresses(self, namespace: str, name: str) -> list[str]:
        return sorted({address for _, address, _ in self._endpoints(namespace, name)})

    def _endpoints(self, namespace: str, name: str) -> Iterable[tuple[str, str, list[tuple[str, str, int]]]]:
        """Host name, address and ports of each ready endpoint."""
        for found in self._slices(namespace, name):
            ports = [(p.get("name", ""), p.get("protocol", "TCP"), p.get("port", 0)) for p in found.get("ports") or ()]
            for endpoint in found.get("endpoints") or ():
                if endpoint.get("conditions", {}).get("ready") is False:
                    continue
                for address in endpoint["addresses"]:
                    yield endpoint.get("hostname") or address.replace(".", "-"), address, ports
