"""EndpointSlice (discovery.k8s.io/v1)."""

from __future__ import annotations

import ipaddress

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, UNSET, listed, text_at
from kubelearn.api.kinds._containers import PROTOCOLS
from kubelearn.api.kinds._errors import (
    Errors,
    choice,
    duplicate,
    immutable,
    invalid,
    label,
    port,
    required,
    subdomain,
    unsupported,
)
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", True)
ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MAX_ENDPOINTS, _MAX_ADDRESSES, _MAX_PORTS = 1000, 100, 20000


def default(obj: Obj) -> None:
    if obj.get("endpoints") is None:
        obj["endpoints"] = []
    for endpoint in r.objects(obj, "endpoints"):
        r.ensure(endpoint, "conditions")
    for item in r.objects(obj, "ports"):
        r.fill(item, "name", "")
        r.fill_text(item, "protocol", "TCP")


def _ports(obj: Obj) -> str:
    return listed([str(r.number(p, "port") if r.has(p, "port") else "*") for p in r.objects(obj, "ports")], UNSET)


def _endpoints(obj: Obj) -> str:
    return listed([a for endpoint in r.objects(obj, "endpoints") for a in r.strings(endpoint, "addresses")], UNSET)


def _address(path: str, kind: str, value: str) -> Errors:
    if kind == "FQDN":
        return subdomain(path, value)
    if kind not in ADDRESS_TYPES:
        return []
    version = 4 if kind == "IPv4" else 6
    try:
        fine = ipaddress.ip_address(value).version == version
    except ValueError:
        fine = False
    return [] if fine else [invalid(path, value, f"must be a valid {kind} address")]


def _too_many(path: str, count: int, limit: int) -> FieldError:
    return FieldError(path, "FieldValueTooMany", f"Too many: {count}: must have at most {limit} items")


def _endpoint(path: str, kind: str, endpoint: Obj) -> Errors:
    addresses = r.strings(endpoint, "addresses")
    out: Errors = []
    if not addresses:
        out.append(required(f"{path}.addresses", "must contain at least 1 address"))
    elif len(addresses) > _MAX_ADDRESSES:
        out.append(_too_many(f"{path}.addresses", len(addresses), _MAX_ADDRESSES))
    for index, value in enumerate(addresses):
        out += _address(f"{path}.addresses[{index}]", kind, value)
    if node := r.text(endpoint, "nodeName"):
        out += subdomain(f"{path}.nodeName", node)
    if host := r.text(endpoint, "hostname"):
        out += label(f"{path}.hostname", host)
    return out


def validate(obj: Obj) -> list[FieldError]:
    kind = r.text(obj, "addressType")
    out: Errors = []
    if not kind:
        out.append(required("addressType"))
    elif kind not in ADDRESS_TYPES:
        out.append(unsupported("addressType", kind, ADDRESS_TYPES))
    endpoints = r.objects(obj, "endpoints")
    if len(endpoints) > _MAX_ENDPOINTS:
        out.append(_too_many("endpoints", len(endpoints), _MAX_ENDPOINTS))
    else:
        for index, endpoint in enumerate(endpoints):
            out += _endpoint(f"endpoints[{index}]", kind, endpoint)
    return out + _validate_ports(r.objects(obj, "ports"))


def _validate_ports(ports: list[Obj]) -> Errors:
    if len(ports) > _MAX_PORTS:
        return [_too_many("ports", len(ports), _MAX_PORTS)]
    out: Errors = []
    seen: set[str] = set()
    for index, item in enumerate(ports):
        path, name = f"ports[{index}]", r.text(item, "name")
        if name:
            out += label(f"{path}.name", name)
        if name in seen:
            out.append(duplicate(f"{path}.name", name))
        seen.add(name)
        out += choice(f"{path}.protocol", r.text(item, "protocol"), PROTOCOLS)
        if r.has(item, "port"):
            out += port(f"{path}.port", r.count(item, "port"))
    return out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return immutable("addressType", r.text(new, "addressType"), r.text(old, "addressType"))


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("AddressType", text_at("addressType"), description="IPv4, IPv6 or FQDN."),
        Column("Ports", _ports, description="Ports of every endpoint."),
        Column("Endpoints", _endpoints, description="Addresses of the endpoints."),
        AGE,
    ),
    default,
    validate,
    validate_update,
    has_generation=True,
)
