"""Validation of Services, in the order of core's ValidateService."""

from __future__ import annotations

import ipaddress

from kubelearn.api import names
from kubelearn.api.kind import FieldError
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._containers import PROTOCOLS
from kubelearn.api.kinds._errors import (
    IMMUTABLE,
    Errors,
    all_invalid,
    choice,
    duplicate,
    forbidden,
    invalid,
    label,
    port,
    port_or_name,
    required,
    subdomain,
    unsupported,
)
from kubelearn.api.kinds._podspec_validation import cidr, ip
from kubelearn.api.kinds._service_update import needs_health_port
from kubelearn.api.resource import Obj

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_AFFINITIES = ("ClientIP", "None")
_POLICIES = ("Cluster", "Local")
_FAMILIES, _FAMILY_POLICIES = ("IPv4", "IPv6"), ("PreferDualStack", "RequireDualStack", "SingleStack")
_DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
_MAX_AFFINITY_SECONDS = 86400
_BALANCER_ONLY = "may only be used when `type` is 'LoadBalancer'"
_ONE_PER_FAMILY = "may specify no more than one IP for each IP family"


def is_headless(spec: Obj) -> bool:
    return r.strings(spec, "clusterIPs") == ["None"]


def _external_name(spec: Obj) -> Errors:
    out: Errors = []
    text = "may not be set for ExternalName services"
    for key in ("clusterIPs", "ipFamilies"):
        if r.strings(spec, key):
            out.append(forbidden(f"spec.{key}", text))
    if r.text(spec, "ipFamilyPolicy"):
        out.append(forbidden("spec.ipFamilyPolicy", text))
    if name := r.text(spec, "externalName").removesuffix("."):
        return out + subdomain("spec.externalName", name)
    return [*out, required("spec.externalName")]


def _ports(spec: Obj) -> Errors:
    out: Errors = []
    found = r.objects(spec, "ports")
    seen: set[str] = set()
    for index, item in enumerate(found):
        path, name = f"spec.ports[{index}]", r.text(item, "name")
        if name:
            out += label(f"{path}.name", name)
            if name in seen:
                out.append(duplicate(f"{path}.name", name))
            seen.add(name)
        elif len(found) > 1:
            out.append(required(f"{path}.name"))
        out += port(f"{path}.port", r.count(item, "port"))
        out += choice(f"{path}.protocol", r.text(item, "protocol"), PROTOCOLS)
        out += port_or_name(f"{path}.targetPort", item.get("targetPort"))
        if r.has(item, "appProtocol"):
            value = r.text(item, "appProtocol")
            out += all_invalid(f"{path}.appProtocol", value, names.qualified_name(value))
    return out


def _affinity(spec: Obj) -> Errors:
    kind, path = r.text(spec, "sessionAffinity"), "spec.sessionAffinityConfig"
    out = choice("spec.sessionAffinity", kind, _AFFINITIES)
    if kind == "ClientIP":
        seconds = r.number(r.mapping(spec, "sessionAffinityConfig", "clientIP"), "timeoutSeconds")
        if seconds is None:
            out.append(required(path, "when session affinity type is ClientIP"))
        elif not 0 < seconds <= _MAX_AFFINITY_SECONDS:
            text = f"must be greater than 0 and less than {_MAX_AFFINITY_SECONDS}"
            out.append(invalid(f"{path}.clientIP.timeoutSeconds", seconds, text))
    elif kind == "None" and r.has(spec, "sessionAffinityConfig"):
        out.append(forbidden(path, "must not be set when session affinity is None"))
    return out


def _families(spec: Obj) -> Errors:
    out: Errors = []
    found = r.strings(spec, "ipFamilies")
    for index, family in enumerate(found):
        path = f"spec.ipFamilies[{index}]"
        if family not in _FAMILIES:
            out.append(unsupported(path, family, _FAMILIES))
        if family in found[:index]:
            out.append(duplicate(path, family))
    policy = r.text(spec, "ipFamilyPolicy")
    if policy and policy not in _FAMILY_POLICIES:
        out.append(unsupported("spec.ipFamilyPolicy", policy, _FAMILY_POLICIES))
    return out


def _cluster_ips(spec: Obj) -> Errors:
    if r.text(spec, "type") == "ExternalName":
        return []
    path, one, many = "spec.clusterIPs", r.text(spec, "clusterIP"), r.strings(spec, "clusterIPs")
    out: Errors = []
    if one and not many:
        out.append(required(path))
    elif one and many[0] != one:
        out.append(invalid(path, many, "first value must match `clusterIP`"))
    elif many and not one:
        out.append(invalid(path, many, "must be empty when `clusterIP` is not specified"))
    out += _families(spec)
    errors: Errors = []
    for index, value in enumerate(many):
        if index == 0 and value == "None":
            if len(many) > 1:
                errors.append(invalid(path, many, "'None' must be the first and only value"))
            continue
        errors += ip(f"{path}[{index}]", value)
    if len(many) > 2:
        out.append(invalid(path, many, "may only hold up to 2 values"))
    if errors:
        return out + errors
    return out + _match_families(path, many, r.strings(spec, "ipFamilies"))


def _match_families(path: str, many: list[str], families: list[str]) -> Errors:
    if many[:1] == ["None"]:
        return []
    versions = ["IPv6" if ipaddress.ip_address(value).version == 6 else "IPv4" for value in many]
    out: Errors = []
    if len(versions) > 1 and len(set(versions)) != len(versions):
        out.append(invalid(path, many, _ONE_PER_FAMILY))
    for index, (version, family) in enumerate(zip(versions, families, strict=False)):
        if family in _FAMILIES and family != version:
            text = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            out.append(invalid(f"{path}[{index}]", many[index], text))
    return out


def _external_ip(path: str, value: str) -> Errors:
    if out := ip(path, value):
        return out
    address = ipaddress.ip_address(value)
    if address.is_unspecified:
        return [invalid(path, value, "may not be unspecified (0.0.0.0 or ::)")]
    if address.is_loopback:
        return [invalid(path, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")]
    if address.is_link_local:
        return [invalid(path, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")]
    if address.is_multicast:
        return [invalid(path, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")]
    return []


def _duplicates(spec: Obj) -> Errors:
    out: Errors = []
    found = r.objects(spec, "ports")
    if r.text(spec, "type") == "ClusterIP":
        text = "may not be used when `type` is 'ClusterIP'"
        out += [forbidden(f"spec.ports[{i}].nodePort", text) for i, p in enumerate(found) if r.count(p, "nodePort")]
    for key in ("nodePort", "port"):
        seen: set[tuple[str, int]] = set()
        for index, item in enumerate(found):
            pair = (r.text(item, "protocol"), r.count(item, key))
            path = f"spec.ports[{index}]"
            if pair in seen and (key == "port" or pair[1]):
                out.append(duplicate(f"{path}.nodePort", pair[1]) if key == "nodePort" else _same_port(path, pair))
            seen.add(pair)
    return out


def _same_port(path: str, pair: tuple[str, int]) -> FieldError:
    # The value is the internal struct, which has no JSON names.
    shown = {"Name": "", "Protocol": pair[0], "AppProtocol": None, "Port": pair[1], "TargetPort": 0, "NodePort": 0}
    return duplicate(path, shown)


def _balancer(spec: Obj) -> Errors:
    out: Errors = []
    is_balancer = r.text(spec, "type") == "LoadBalancer"
    if ranges := r.strings(spec, "loadBalancerSourceRanges"):
        if not is_balancer:
            out.append(forbidden("spec.LoadBalancerSourceRanges", _BALANCER_ONLY))
        for index, value in enumerate(ranges):
            out += cidr(f"spec.LoadBalancerSourceRanges[{index}]", value.strip())
    if r.has(spec, "allocateLoadBalancerNodePorts") and not is_balancer:
        out.append(forbidden("spec.allocateLoadBalancerNodePorts", _BALANCER_ONLY))
    if value := r.text(spec, "loadBalancerClass"):
        if is_balancer:
            out += all_invalid("spec.loadBalancerClass", value, names.qualified_name(value))
        else:
            out.append(forbidden("spec.loadBalancerClass", _BALANCER_ONLY))
    return out


def _traffic(spec: Obj) -> Errors:
    kind, external = r.text(spec, "type"), r.text(spec, "externalTrafficPolicy")
    out: Errors = []
    exposed = kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(r.strings(spec, "externalIPs")))
    if exposed:
        out += choice("spec.externalTrafficPolicy", external, _POLICIES)
    elif external:
        text = "may only be set for externally-accessible services"
        out.append(invalid("spec.externalTrafficPolicy", external, text))
    health = r.count(spec, "healthCheckNodePort")
    if health and not needs_health_port(spec):
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        out.append(invalid("spec.healthCheckNodePort", health, text))
    elif health:
        out += port("spec.healthCheckNodePort", health)
    internal = r.text(spec, "internalTrafficPolicy")
    if internal and internal not in _POLICIES:
        out.append(unsupported("spec.internalTrafficPolicy", internal, _POLICIES))
    distribution = r.text(spec, "trafficDistribution")
    if distribution and distribution not in _DISTRIBUTIONS:
        out.append(unsupported("spec.trafficDistribution", distribution, _DISTRIBUTIONS))
    return out


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    kind = r.text(spec, "type")
    out: Errors = []
    if not r.objects(spec, "ports") and not is_headless(spec) and kind != "ExternalName":
        out.append(required("spec.ports"))
    if kind in ("LoadBalancer", "NodePort") and is_headless(spec):
        out.append(invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
    elif kind == "ExternalName":
        out += _external_name(spec)
    out += _ports(spec)
    out += names.label_map(r.string_map(spec, "selector"), "spec.selector")
    out += _affinity(spec) + _cluster_ips(spec)
    for index, value in enumerate(r.strings(spec, "externalIPs")):
        out += _external_ip(f"spec.externalIPs[{index}]", value)
    out += choice("spec.type", kind, TYPES)
    return out + _duplicates(spec) + _balancer(spec) + _traffic(spec)


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    now, before = r.mapping(new, "spec"), r.mapping(old, "spec")
    out: Errors = []
    if "ExternalName" not in (r.text(now, "type"), r.text(before, "type")):
        out += _addresses(now, before)
    both = r.text(now, "type") == r.text(before, "type") == "LoadBalancer"
    if both and now.get("loadBalancerClass") != before.get("loadBalancerClass"):
        out.append(invalid("spec.loadBalancerClass", now.get("loadBalancerClass"), "may not change once set"))
    probed = needs_health_port(now) and needs_health_port(before)
    if probed and r.count(now, "healthCheckNodePort") != r.count(before, "healthCheckNodePort"):
        out.append(forbidden("spec.healthCheckNodePort", IMMUTABLE))
    return out


def _addresses(now: Obj, before: Obj) -> Errors:
    out: Errors = []
    text = "may not change once set"
    many, had = r.strings(now, "clusterIPs"), r.strings(before, "clusterIPs")
    if had and not many:
        out.append(invalid("spec.clusterIPs[0]", many, "primary clusterIP can not be unset"))
    # Only the first is fixed when their number changes.
    fixed = len(had) if len(had) == len(many) else min(len(had), len(many), 1)
    out += [invalid(f"spec.clusterIPs[{i}]", many, text) for i in range(fixed) if many[i] != had[i]]
    if is_headless(now) or is_headless(before):
        return out
    families, had_families = r.strings(now, "ipFamilies"), r.strings(before, "ipFamilies")
    if families and had_families and families[0] != had_families[0]:
        out.append(invalid("spec.ipFamilies[0]", families, text))
    return out
