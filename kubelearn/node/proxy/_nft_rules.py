"""The nftables rules that carry Services, as text. Pure.

Laid out and named as the rules of Kubernetes' own kube-proxy, so that `nft list table ip kube-proxy` on a node reads
like its documentation: one map says which chain handles an address and port, a Service's chain picks an endpoint's, and
that one rewrites the destination. Two differences: all pods and the control plane share a subnet, so what is not a pod
would answer a pod directly; connections to such endpoints get the node's own address as their source. And TCP is
refused by a reset: an ICMP refusal comes back on one machine before connect() is done with its packet, is taken for a
passing trouble then, and costs the caller a second.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kubelearn.api.resource import Obj

TABLE = "ip kube-proxy"
MARK = "0x4000"
_SERVICE_LABEL = "kubernetes.io/service-name"
_MAX_NAME = 127

_BASE_CHAINS = {
    "nat-prerouting": "type nat hook prerouting priority dstnat",
    "nat-output": "type nat hook output priority -100",
    "nat-postrouting": "type nat hook postrouting priority srcnat",
    "filter-input": "type filter hook input priority filter",
    "filter-forward": "type filter hook forward priority filter",
    "filter-output": "type filter hook output priority filter",
}
_MAPS = {
    "service-ips": "ipv4_addr . inet_proto . inet_service : verdict",
    "service-nodeports": "inet_proto . inet_service : verdict",
    "no-endpoint-services": "ipv4_addr . inet_proto . inet_service : verdict",
    "no-endpoint-nodeports": "inet_proto . inet_service : verdict",
}
_SETS = {"cluster-ips": "ipv4_addr", "nodeport-ips": "ipv4_addr"}
_FIXED_RULES = {
    "nat-prerouting": ["jump services"],
    "nat-output": ["jump services"],
    "nat-postrouting": ["jump masquerading"],
    "filter-input": ["ct state new jump nodeport-endpoints-check", "ct state new jump service-endpoints-check"],
    "filter-forward": ["ct state new jump service-endpoints-check", "ct state new jump cluster-ips-check"],
    "filter-output": ["icmp type redirect drop", "ct state new jump service-endpoints-check"],
    "services": [
        "ip daddr . meta l4proto . th dport vmap @service-ips",
        "ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports",
    ],
    "service-endpoints-check": ["ip daddr . meta l4proto . th dport vmap @no-endpoint-services"],
    "nodeport-endpoints-check": ["ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports"],
    "cluster-ips-check": ["ip daddr @cluster-ips goto reject-chain"],
    "reject-chain": ["meta l4proto tcp reject with tcp reset", "reject"],
    "mark-for-masquerade": [f"meta mark set meta mark or {MARK}"],
    "masquerading": [
        f"meta mark & {MARK} == 0 return",
        f"meta mark set meta mark xor {MARK}",
        "masquerade fully-random",
    ],
}


@dataclass(frozen=True, slots=True)
class Place:
    """The node that the rules are for. `pod_networks` are those of all nodes."""

    node: str
    node_ip: str
    pod_cidr: str
    pod_networks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    ip: str
    port: int
    local: bool


@dataclass(slots=True)
class Ruleset:
    """`chains` are ours by name with their rules, `elements` those of maps and sets, `affinity` sets with seconds."""

    chains: dict[str, list[str]] = field(default_factory=dict)
    elements: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in (*_MAPS, *_SETS)})
    affinity: dict[str, int] = field(default_factory=dict)

    def script(self, previous: Ruleset | None) -> str:
        """One transaction for `nft -f -`; `previous` is what is in force, None when that is not known."""
        lines = [f"add table {TABLE}"]
        if previous is None:
            lines += [f"delete table {TABLE}", f"add table {TABLE}"]
        lines += [f"add chain {TABLE} {name} {{ {hook}; }}" for name, hook in _BASE_CHAINS.items()]
        lines += [f"add map {TABLE} {name} {{ type {kind}; }}" for name, kind in _MAPS.items()]
        lines += [f"add set {TABLE} {name} {{ type {kind}; }}" for name, kind in _SETS.items()]
        chains = {name: rules for name, rules in _FIXED_RULES.items() if name not in _BASE_CHAINS} | self.chains
        lines += [f"add chain {TABLE} {name}" for name in chains]
        lines += [
            f"add set {TABLE} {name} {{ type ipv4_addr; flags dynamic,timeout; timeout {seconds}s; }}"
            for name, seconds in self.affinity.items()
        ]
        lines += [f"flush table {TABLE}"]
        lines += [f"flush map {TABLE} {name}" for name in _MAPS] + [f"flush set {TABLE} {name}" for name in _SETS]
        for name, rules in (_FIXED_RULES | self.chains).items():
            lines += [f"add rule {TABLE} {name} {rule}" for rule in rules]
        for name, found in self.elements.items():
            if found:
                lines.append(f"add element {TABLE} {name} {{ {', '.join(found)} }}")
        if previous is not None:
            lines += [f"delete chain {TABLE} {name}" for name in previous.chains if name not in self.chains]
            lines += [f"delete set {TABLE} {name}" for name in previous.affinity if name not in self.affinity]
        return "\n".join(lines) + "\n"


def ruleset(services: Iterable[Obj], slices: Iterable[Obj], place: Place) -> Ruleset:
    """For all Services that have an address."""
    by_service: dict[tuple[str, str], list[Obj]] = {}
    for found in slices:
        meta = found["metadata"]
        name = (meta.get("labels") or {}).get(_SERVICE_LABEL, "")
        by_service.setdefault((meta["namespace"], name), []).append(found)
    out = Ruleset()
    out.elements["nodeport-ips"].append(place.node_ip)
    for service in sorted(services, key=lambda s: (s["metadata"]["namespace"], s["metadata"]["name"])):
        if service["spec"].get("clusterIP") in (None, "", "None"):
            continue
        out.elements["cluster-ips"].append(service["spec"]["clusterIP"])
        owned = by_service.get((service["metadata"]["namespace"], service["metadata"]["name"]), [])
        for port in service["spec"].get("ports") or ():
            _Port(out, service, port, place).add(list(_endpoints(owned, port, place.node)))
    return out


def _endpoints(slices: Iterable[Obj], port: Obj, node: str) -> Iterator[Endpoint]:
    """The ready ones; if there are none, those that end but still serve."""
    ready, ending = set(), set()
    for found in slices:
        numbers = [p["port"] for p in found.get("ports") or () if _same_port(p, port)]
        for endpoint in found.get("endpoints") or () if numbers else ():
            conditions = endpoint.get("conditions") or {}
            made = {Endpoint(a, numbers[0], endpoint.get("nodeName") == node) for a in endpoint["addresses"]}
            if conditions.get("ready", True) is not False:
                ready |= made
            elif conditions.get("serving") and conditions.get("terminating"):
                ending |= made
    yield from sorted(ready or ending)


def _same_port(one: Obj, other: Obj) -> bool:
    names = (one.get("name") or "") == (other.get("name") or "")
    return names and (one.get("protocol") or "TCP") == (other.get("protocol") or "TCP")


class _Port:
    """The chains of one port of one Service."""

    def __init__(self, out: Ruleset, service: Obj, port: Obj, place: Place) -> None:
        self._out = out
        self._spec: Obj = service["spec"]
        self._port = port
        self._place = place
        self._protocol = (port.get("protocol") or "TCP").lower()
        meta = service["metadata"]
        self._name = f"{meta['namespace']}/{meta['name']}/{self._protocol}/{port.get('name', '')}"

    def add(self, endpoints: list[Endpoint]) -> None:
        out, port = self._out, self._port
        internal = self._reachable(endpoints, "internalTrafficPolicy")
        address = f"{self._spec['clusterIP']} . {self._protocol} . {port['port']}"
        chain = self._service("service", internal) if internal else ""
        if chain:
            out.chains[chain].insert(
                0,
                f"ip daddr {self._spec['clusterIP']} ip saddr != {self._place.pod_cidr} jump mark-for-masquerade",
            )
            out.elements["service-ips"].append(f"{address} : goto {chain}")
        else:
            out.elements["no-endpoint-services"].append(f"{address} : goto reject-chain")
        if self._spec.get("type") in ("NodePort", "LoadBalancer") and port.get("nodePort"):
            self._node_port(endpoints)

    def _node_port(self, endpoints: list[Endpoint]) -> None:
        """From outside: the answer must come back this way, so the node stands for the caller, unless only its own pods
        are asked (externalTrafficPolicy: Local)."""
        out = self._out
        key = f"{self._protocol} . {self._port['nodePort']}"
        reachable = self._reachable(endpoints, "externalTrafficPolicy")
        if not reachable:
            out.elements["no-endpoint-nodeports"].append(f"{key} : goto reject-chain")
            return
        if self._spec.get("externalTrafficPolicy") == "Local":
            chain = self._service("external-local", reachable)
        else:
            chain = _chain_name("external", self._name)
            out.chains[chain] = ["jump mark-for-masquerade", f"goto {self._service('service-all', reachable)}"]
        out.elements["service-nodeports"].append(f"{key} : goto {chain}")

    def _reachable(self, endpoints: list[Endpoint], policy: str) -> list[Endpoint]:
        return [e for e in endpoints if e.local] if self._spec.get(policy) == "Local" else endpoints

    def _service(self, prefix: str, endpoints: list[Endpoint]) -> str:
        """The chain that picks one of them: the one the client had before, or any."""
        name = _chain_name(prefix, self._name)
        chains = [self._endpoint(e) for e in endpoints]
        rules = []
        if self._spec.get("sessionAffinity") == "ClientIP":
            for chain in chains:
                rules.append(f"ip saddr @{_affinity(chain)} goto {chain}")
        choices = ", ".join(f"{number} : goto {chain}" for number, chain in enumerate(chains))
        rules.append(f"numgen random mod {len(chains)} vmap {{ {choices} }}")
        self._out.chains[name] = rules
        return name

    def _endpoint(self, endpoint: Endpoint) -> str:
        name = _chain_name("endpoint", f"{self._name}__{endpoint.ip}/{endpoint.port}")
        if name in self._out.chains:
            return name
        rules = []
        if self._is_pod(endpoint.ip):
            rules.append(f"ip saddr {endpoint.ip} jump mark-for-masquerade")
        else:
            rules.append("jump mark-for-masquerade")
        if self._spec.get("sessionAffinity") == "ClientIP":
            config = (self._spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
            self._out.affinity[_affinity(name)] = int(config.get("timeoutSeconds", 10800))
            rules.append(f"update @{_affinity(name)} {{ ip saddr }}")
        rules.append(f"meta l4proto {self._protocol} dnat to {endpoint.ip}:{endpoint.port}")
        self._out.chains[name] = rules
        return name

    def _is_pod(self, ip: str) -> bool:
        address = ipaddress.ip_address(ip)
        networks = self._place.pod_networks | {self._place.pod_cidr}
        return any(address in ipaddress.ip_network(n) for n in networks)


def _chain_name(prefix: str, rest: str) -> str:
    """`service-ULMVA6XW-ns1/svc1/tcp/p80`: the hash makes it unique when it must be cut."""
    digest = base64.b32encode(hashlib.sha256(rest.encode()).digest()).decode()[:8]
    return f"{prefix}-{digest}-{rest}"[:_MAX_NAME]


def _affinity(chain: str) -> str:
    return chain.replace("endpoint-", "affinity-", 1)
