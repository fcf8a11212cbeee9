"""NetworkPolicy (networking.k8s.io/v1)."""

from __future__ import annotations

import ipaddress

from kubelearn.api import names, selectors
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME
from kubelearn.api.kinds._errors import Errors, all_invalid, forbidden, invalid, port, required, unsupported
from kubelearn.api.kinds._podspec_validation import cidr
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", "networkpolicy", True, short_names=("netpol",)
)  # fmt: skip
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_TYPES = ("Ingress", "Egress")


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    r.ensure(spec, "podSelector")
    for rule in r.objects(spec, "ingress") + r.objects(spec, "egress"):
        for item in r.objects(rule, "ports"):
            r.fill(item, "protocol", "TCP")
    if not r.strings(spec, "policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if r.objects(spec, "egress") else ["Ingress"]


def _port(path: str, item: Obj) -> Errors:
    out: Errors = []
    protocol, value, end = r.text(item, "protocol"), item.get("port"), r.number(item, "endPort")
    if r.has(item, "protocol") and protocol not in _PROTOCOLS:
        out.append(unsupported(f"{path}.protocol", protocol, _PROTOCOLS))
    if isinstance(value, str):
        if end is not None:
            out.append(invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric"))
        return out + all_invalid(f"{path}.port", value, names.port_name(value))
    if value is None:
        if end is not None:
            out.append(invalid(f"{path}.endPort", end, "may not be specified when `port` is not specified"))
        return out
    number = r.count(item, "port")
    out += port(f"{path}.port", number)
    if end is not None:
        if end < number:
            out.append(invalid(f"{path}.endPort", end, "must be greater than or equal to `port`"))
        out += port(f"{path}.endPort", end)
    return out


def _block(path: str, block: Obj) -> Errors:
    whole = r.text(block, "cidr")
    if not whole:
        return [required(f"{path}.cidr")]
    if out := cidr(f"{path}.cidr", whole):
        return out
    network = ipaddress.ip_network(whole, strict=False)
    for index, part in enumerate(r.strings(block, "except")):
        where = f"{path}.except[{index}]"
        if errors := cidr(where, part):
            out += errors
            continue
        inner = ipaddress.ip_network(part, strict=False)
        inside = inner.version == network.version and inner.network_address in network
        if not inside or inner.prefixlen <= network.prefixlen:
            out.append(invalid(where, part, "must be a strict subset of `cidr`"))
    return out


def _peer(path: str, peer: Obj) -> Errors:
    out: Errors = []
    for key in ("podSelector", "namespaceSelector"):
        out += label_selector(f"{path}.{key}", r.mapping(peer, key))
    if r.has(peer, "ipBlock"):
        out += _block(f"{path}.ipBlock", r.mapping(peer, "ipBlock"))
    found = [key for key in ("podSelector", "namespaceSelector", "ipBlock") if r.has(peer, key)]
    if not found:
        out.append(required(path, "must specify a peer"))
    elif len(found) > 1 and "ipBlock" in found:
        out.append(forbidden(path, "may not specify both ipBlock and another peer"))
    return out


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    out = label_selector("spec.podSelector", r.mapping(spec, "podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(r.objects(spec, direction)):
            path = f"spec.{direction}[{index}]"
            for at, item in enumerate(r.objects(rule, "ports")):
                out += _port(f"{path}.ports[{at}]", item)
            for at, item in enumerate(r.objects(rule, peers)):
                out += _peer(f"{path}.{peers}[{at}]", item)
    types = r.strings(spec, "policyTypes")
    if len(types) > len(_TYPES):
        return [*out, invalid("spec.policyTypes", types, "may not specify more than two policyTypes")]
    for index, kind in enumerate(types):
        if kind not in _TYPES:
            out.append(unsupported(f"spec.policyTypes[{index}]", kind, _TYPES))
    return out


def _selector(obj: Obj) -> str:
    try:
        return selectors.format(r.mapping(obj, "spec", "podSelector"))
    except (KeyError, TypeError, AttributeError):
        return "<error>"


KIND = Kind(
    RESOURCE,
    (NAME, Column("Pod-Selector", _selector, description="The pods that it protects."), AGE),
    default,
    validate,
    has_generation=True,
)
