"""Service (core/v1). Addresses and node ports are allocated by the server; here is what holds without it."""

from __future__ import annotations

from collections.abc import Mapping

from kubelearn.api.kind import Column, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, NONE, labels, text_at
from kubelearn.api.kinds._fields import with_metadata
from kubelearn.api.kinds._service_update import drop_dependent, patch_allocated, sync_cluster_ips
from kubelearn.api.kinds._service_validation import validate, validate_update
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "", "v1", "Service", "services", "service", True,
    short_names=("svc",), categories=("all",), subresources=("proxy", "status"),
)  # fmt: skip
_AFFINITY_SECONDS = 10800


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    r.fill_text(spec, "sessionAffinity", "None")
    if spec.get("sessionAffinity") == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec.get("sessionAffinity") == "ClientIP":
        client = r.ensure(r.ensure(spec, "sessionAffinityConfig"), "clientIP")
        r.fill(client, "timeoutSeconds", _AFFINITY_SECONDS)
    r.fill_text(spec, "type", "ClusterIP")
    for port in r.objects(spec, "ports"):
        r.fill_text(port, "protocol", "TCP")
        if port.get("targetPort") in (None, "", 0):
            port["targetPort"] = r.count(port, "port")
    kind = r.text(spec, "type")
    if kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and r.strings(spec, "externalIPs")):
        r.fill_text(spec, "externalTrafficPolicy", "Cluster")
    if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
        r.fill(spec, "internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        r.fill(spec, "allocateLoadBalancerNodePorts", True)
    balancer = r.ensure(r.ensure(obj, "status"), "loadBalancer")
    for ingress in r.objects(balancer, "ingress"):
        if r.text(ingress, "ip"):
            r.fill(ingress, "ipMode", "VIP")


def _families(spec: Obj) -> None:
    """What a cluster with IPv4 only gives a Service that does not say."""
    if r.text(spec, "type") == "ExternalName":
        return
    if r.text(spec, "clusterIP") == "None" and not r.mapping(spec, "selector"):
        r.fill(spec, "ipFamilyPolicy", "RequireDualStack")
        single = r.text(spec, "ipFamilyPolicy") == "SingleStack"
        r.fill(spec, "ipFamilies", ["IPv4"] if single else ["IPv4", "IPv6"])
        return
    r.fill(spec, "ipFamilyPolicy", "SingleStack")
    r.fill(spec, "ipFamilies", ["IPv4"])


def prepare(obj: Obj, old: Obj | None) -> None:
    spec = r.ensure(obj, "spec")
    if old is None:
        obj["status"] = {"loadBalancer": {}}
    else:
        before = r.mapping(old, "spec")
        patch_allocated(spec, before)
        drop_dependent(spec, before)
    sync_cluster_ips(spec, r.mapping(old, "spec") if old else {})
    _families(spec)


def _external(obj: Obj) -> str:
    spec = r.mapping(obj, "spec")
    kind, extra = r.text(spec, "type"), r.strings(spec, "externalIPs")
    if kind == "ExternalName":
        return r.text(spec, "externalName")
    if kind != "LoadBalancer":
        return ",".join(extra) or NONE
    ingress = r.objects(r.mapping(obj, "status", "loadBalancer"), "ingress")
    found = ",".join(sorted({r.text(i, "ip") or r.text(i, "hostname") for i in ingress} - {""}))
    return ",".join([*([found] if found else []), *extra]) or "<pending>"


def _ports(obj: Obj) -> str:
    out = []
    for port in r.objects(r.mapping(obj, "spec"), "ports"):
        node = r.count(port, "nodePort")
        number = f"{r.count(port, 'port')}:{node}" if node else str(r.count(port, "port"))
        out.append(f"{number}/{r.text(port, 'protocol')}")
    return ",".join(out) or NONE


def _cluster_ip(obj: Obj) -> str:
    spec = r.mapping(obj, "spec")
    return next(iter(r.strings(spec, "clusterIPs")), "") or r.text(spec, "clusterIP") or NONE


COLUMNS = (
    NAME,
    Column("Type", text_at("spec", "type"), description="How the Service is exposed."),
    Column("Cluster-IP", _cluster_ip, description="Its address inside the cluster."),
    Column("External-IP", _external, description="Where it is reached from outside."),
    Column("Port(s)", _ports, description="Ports it listens on."),
    AGE,
    Column("Selector", lambda obj: labels(r.string_map(r.mapping(obj, "spec"), "selector")), priority=1),
)


def fields(obj: Obj) -> Mapping[str, str]:
    spec = r.mapping(obj, "spec")
    return with_metadata(obj, {"spec.clusterIP": r.text(spec, "clusterIP"), "spec.type": r.text(spec, "type")})


KIND = Kind(
    RESOURCE, COLUMNS, default, validate, validate_update, prepare, fields,
    has_status=True, create_on_update=True, name_rule="dns1123label",
)  # fmt: skip
