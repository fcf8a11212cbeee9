"""What an update of a Service keeps and drops: the values that the server allocated are not the user's to repeat.

Source: pkg/registry/core/service (patchAllocatedValues, dropTypeDependentFields, NormalizeClusterIPs).
"""

from __future__ import annotations

from kubelearn.api.kinds import _read as r
from kubelearn.api.resource import Obj


def needs_cluster_ip(spec: Obj) -> bool:
    return r.text(spec, "type") in ("ClusterIP", "NodePort", "LoadBalancer")


def needs_node_port(spec: Obj) -> bool:
    kind = r.text(spec, "type")
    return kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False)


def needs_health_port(spec: Obj) -> bool:
    return r.text(spec, "type") == "LoadBalancer" and r.text(spec, "externalTrafficPolicy") == "Local"


def _key(port: Obj) -> tuple[str, int]:
    return r.text(port, "protocol"), r.count(port, "port")


def patch_allocated(spec: Obj, old: Obj) -> None:
    """Carry over addresses and node ports where the update leaves them out."""
    if needs_cluster_ip(spec) and needs_cluster_ip(old):
        if not r.text(spec, "clusterIP") and r.text(old, "clusterIP"):
            spec["clusterIP"] = old["clusterIP"]
        same = r.text(spec, "clusterIP") == r.text(old, "clusterIP")
        if same and not r.strings(spec, "clusterIPs") and r.strings(old, "clusterIPs"):
            spec["clusterIPs"] = list(old["clusterIPs"])
        for key in ("ipFamilies", "ipFamilyPolicy"):
            if key in old:
                r.fill(spec, key, old[key])
    if needs_node_port(spec) and needs_node_port(old):
        _patch_node_ports(spec, old)
    if needs_health_port(spec) and needs_health_port(old) and r.count(old, "healthCheckNodePort"):
        r.fill_zero(spec, "healthCheckNodePort", r.count(old, "healthCheckNodePort"))


def _patch_node_ports(spec: Obj, old: Obj) -> None:
    allocated = {_key(port): r.count(port, "nodePort") for port in r.objects(old, "ports")}
    taken = {r.count(port, "nodePort") for port in r.objects(spec, "ports")}
    for port in r.objects(spec, "ports"):
        number = allocated.get(_key(port), 0)
        if not r.count(port, "nodePort") and number and number not in taken:
            port["nodePort"] = number
            taken.add(number)


def _drop_same(spec: Obj, old: Obj, *keys: str) -> None:
    if all(spec.get(key) == old.get(key) for key in keys[:1]):
        for key in keys:
            spec.pop(key, None)


def drop_dependent(spec: Obj, old: Obj) -> None:
    """On a change of type, drop what only the old type needs and the user did not touch."""
    if needs_cluster_ip(old) and not needs_cluster_ip(spec):
        for keys in (("clusterIPs", "clusterIP"), ("ipFamilies",), ("ipFamilyPolicy",)):
            if keys[0] not in spec or spec.get(keys[0]) == old.get(keys[0]):
                for key in keys:
                    spec.pop(key, None)
    if needs_node_port(old) and not needs_node_port(spec):
        before = [r.count(port, "nodePort") for port in r.objects(old, "ports")]
        if [r.count(port, "nodePort") for port in r.objects(spec, "ports")] == before:
            for port in r.objects(spec, "ports"):
                port.pop("nodePort", None)
    if needs_health_port(old) and not needs_health_port(spec):
        _drop_same(spec, old, "healthCheckNodePort")
    if r.text(old, "type") == "LoadBalancer" and r.text(spec, "type") != "LoadBalancer":
        _drop_same(spec, old, "allocateLoadBalancerNodePorts")
        _drop_same(spec, old, "loadBalancerClass")
    external = ("NodePort", "LoadBalancer")
    if r.text(old, "type") in external and r.text(spec, "type") not in external and not r.strings(spec, "externalIPs"):
        _drop_same(spec, old, "externalTrafficPolicy")


def sync_cluster_ips(spec: Obj, old: Obj) -> None:
    """`clusterIP` is the first of `clusterIPs`; whoever sets one of the two means both."""
    if r.text(spec, "type") == "ExternalName" and not r.text(spec, "clusterIP"):
        return
    one, many = r.text(spec, "clusterIP"), r.strings(spec, "clusterIPs")
    if one and not many:
        spec["clusterIPs"] = [one]
        return
    if old and one != r.text(old, "clusterIP") and many == r.strings(old, "clusterIPs"):
        if one:
            spec["clusterIPs"] = [one, *many[1:]]
        else:
            spec.pop("clusterIPs", None)
    elif old and one == r.text(old, "clusterIP") and many != r.strings(old, "clusterIPs") and not many:
        spec.pop("clusterIP", None)
