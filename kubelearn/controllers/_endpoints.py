"""From a Service's pods to its endpoints: addresses, ports and readiness, as both API shapes need them. Pure.

Source: Kubernetes' pkg/controller/util/endpoint and staging endpointslice/reconciler.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubelearn.api.resource import Obj
from kubelearn.controllers import _pods

#: (name, protocol, port, appProtocol) of each service port as one pod serves it
Ports = tuple[tuple[str, str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One pod behind a Service."""

    address: str
    ready: bool
    serving: bool
    terminating: bool
    node: str
    hostname: str
    target: tuple[str, str, str]
    ports: Ports

    def to_slice(self) -> Obj:
        out: Obj = {
            "addresses": [self.address],
            "conditions": {"ready": self.ready, "serving": self.serving, "terminating": self.terminating},
        }
        if self.hostname:
            out["hostname"] = self.hostname
        out["targetRef"] = self.reference()
        if self.node:
            out["nodeName"] = self.node
        return out

    def to_address(self) -> Obj:
        """An EndpointAddress of the older Endpoints."""
        out: Obj = {"ip": self.address}
        if self.hostname:
            out["hostname"] = self.hostname
        if self.node:
            out["nodeName"] = self.node
        return {**out, "targetRef": self.reference()}

    def reference(self) -> Obj:
        namespace, name, uid = self.target
        return {"kind": "Pod", "namespace": namespace, "name": name, "uid": uid}


def endpoints(service: Obj, pods: Iterable[Obj]) -> list[Endpoint]:
    """The pods that have an address and have not ended, in order of address."""
    anyway = bool(service["spec"].get("publishNotReadyAddresses"))
    found = [_endpoint(service, pod, anyway) for pod in pods if _has_address(pod)]
    return sorted(found, key=lambda e: [int(part) if part.isdigit() else 0 for part in e.address.split(".")])


def _has_address(pod: Obj) -> bool:
    return bool(pod.get("status", {}).get("podIP")) and not _pods.finished(pod)


def _endpoint(service: Obj, pod: Obj, anyway: bool) -> Endpoint:
    meta, spec = pod["metadata"], pod["spec"]
    serving, terminating = _pods.ready(pod), _pods.terminating(pod)
    named = spec.get("subdomain") == service["metadata"]["name"] and spec.get("hostname")
    return Endpoint(
        address=pod["status"]["podIP"],
        ready=anyway or (serving and not terminating),
        serving=serving,
        terminating=terminating,
        node=spec.get("nodeName", ""),
        hostname=spec["hostname"] if named else "",
        target=(meta["namespace"], meta["name"], meta["uid"]),
        ports=_ports(service, pod),
    )


def _ports(service: Obj, pod: Obj) -> Ports:
    """A port that the pod does not name is left out."""
    found = []
    for port in service["spec"].get("ports") or []:
        number = _number(port, pod)
        if number is not None:
            protocol = port.get("protocol", "TCP")
            found.append((port.get("name", ""), protocol, number, port.get("appProtocol", "")))
    return tuple(found)


def _number(port: Obj, pod: Obj) -> int | None:
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    sidecars = [c for c in pod["spec"].get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    for container in [*pod["spec"]["containers"], *sidecars]:
        for one in container.get("ports") or []:
            if one.get("name") == target and one.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(one["containerPort"])
    return None


def port_objects(ports: Ports, *, empty_names: bool) -> list[Obj]:
    """EndpointPorts; an EndpointSlice spells the empty name out, an Endpoints does not."""
    found = []
    for name, protocol, number, app_protocol in ports:
        port: Obj = {"name": name} if name or empty_names else {}
        port |= {"port": number, "protocol": protocol}
        found.append({**port, "appProtocol": app_protocol} if app_protocol else port)
    return found


def subsets(service: Obj, found: Iterable[Endpoint]) -> list[Obj]:
    """The subsets of an Endpoints: pods with the same ports together, terminating ones left out."""
    anyway = bool(service["spec"].get("publishNotReadyAddresses"))
    groups: dict[Ports, list[Endpoint]] = {}
    for endpoint in found:
        if anyway or not endpoint.terminating:
            groups.setdefault(endpoint.ports, []).append(endpoint)
    out = []
    for ports, members in sorted(groups.items()):
        subset: Obj = {}
        ready = [e.to_address() for e in members if e.ready]
        waiting = [e.to_address() for e in members if not e.ready]
        if ready:
            subset["addresses"] = ready
        if waiting:
            subset["notReadyAddresses"] = waiting
        if ports:
            subset["ports"] = port_objects(ports, empty_names=False)
        out.append(subset)
    return out
