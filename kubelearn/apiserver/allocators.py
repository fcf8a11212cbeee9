"""What the API server hands out: ClusterIPs of Services, and their node ports."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterable

from kubelearn.api.kind import FieldError
from kubelearn.api.resource import Obj

NODE_PORTS = range(30000, 32768)


class ServiceAllocator:
    """Knows what the stored Services hold; `assign` fills in what a new or changed one needs."""

    def __init__(self, cidr: str) -> None:
        self._network = ipaddress.ip_network(cidr)
        self._addresses: dict[str, str] = {}
        self._ports: dict[int, str] = {}

    def load(self, services: Iterable[Obj]) -> None:
        for service in services:
            self._take(service)

    def _take(self, service: Obj) -> None:
        uid = service["metadata"]["uid"]
        for address in service["spec"].get("clusterIPs") or ():
            if address != "None":
                self._addresses[address] = uid
        for port in service["spec"].get("ports") or ():
            if port.get("nodePort"):
                self._ports[port["nodePort"]] = uid

    def release(self, service: Obj) -> None:
        uid = service["metadata"]["uid"]
        self._addresses = {k: v for k, v in self._addresses.items() if v != uid}
        self._ports = {k: v for k, v in self._ports.items() if v != uid}

    def assign(self, service: Obj) -> list[FieldError]:
        """Addresses and ports into `service`, in place; errors when what it asks for is taken or out of range."""
        spec, uid = service["spec"], service["metadata"]["uid"]
        problems = self._address(spec, uid) + self._node_ports(spec, uid)
        if not problems:
            self.release(service)
            self._take(service)
        return problems

    def _address(self, spec: Obj, uid: str) -> list[FieldError]:
        if spec.get("type") == "ExternalName":
            return []
        asked = spec.get("clusterIP", "")
        if not asked:
            spec["clusterIP"] = self._free_address()
        elif asked != "None":
            if self._addresses.get(asked, uid) != uid:
                text = f'Invalid value: ["{asked}"]: failed to allocate IP {asked}: provided IP is already allocated'
                return [FieldError("spec.clusterIPs", "FieldValueInvalid", text)]
            if ipaddress.ip_address(asked) not in self._network:
                text = (
                    f'Invalid value: ["{asked}"]: failed to allocate IP {asked}: the provided IP ({asked}) is not in '
                    f"the valid range. The range of valid IPs is {self._network}"
                )
                return [FieldError("spec.clusterIPs", "FieldValueInvalid", text)]
        spec["clusterIPs"] = [spec["clusterIP"]]
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        return []

    def _free_address(self) -> str:
        size = self._network.num_addresses
        while True:
            # The low end is left for addresses that are asked for by number, as Kubernetes does.
            address = str(self._network[random.randrange(min(256, size // 16), size - 1)])
            if address not in self._addresses:
                return address

    def _node_ports(self, spec: Obj, uid: str) -> list[FieldError]:
        if spec.get("type") not in ("NodePort", "LoadBalancer"):
            return []
        given: set[int] = set()
        for index, port in enumerate(spec.get("ports") or ()):
            asked = port.get("nodePort", 0)
            field = f"spec.ports[{index}].nodePort"
            if not asked:
                free = [p for p in NODE_PORTS if p not in self._ports and p not in given]
                port["nodePort"] = random.choice(free)
            elif asked not in NODE_PORTS:
                text = f"Invalid value: {asked}: provided port is not in the valid range. The range of valid ports is "
                return [FieldError(field, "FieldValueInvalid", text + "30000-32767")]
            elif self._ports.get(asked, uid) != uid:
                text = f"Invalid value: {asked}: provided port is already allocated"
                return [FieldError(field, "FieldValueInvalid", text)]
            given.add(port["nodePort"])
        return []


def keep_addresses(new: Obj, old: Obj) -> None:
    """A Service keeps the addresses and node ports it has been given, unless the update says otherwise."""
    spec, was = new["spec"], old["spec"]
    if spec.get("type") != "ExternalName" and was.get("type") != "ExternalName":
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if not spec.get(field) and was.get(field):
                spec[field] = was[field]
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        known = {(p.get("protocol", "TCP"), p["port"]): p.get("nodePort") for p in was.get("ports") or ()}
        for port in spec.get("ports") or ():
            found = known.get((port.get("protocol", "TCP"), port["port"]))
            if not port.get("nodePort") and found:
                port["nodePort"] = found
