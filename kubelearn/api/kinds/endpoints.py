"""Endpoints (core/v1): the older form of EndpointSlice, kept for old clients."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, listed
from kubelearn.api.kinds._containers import PROTOCOLS
from kubelearn.api.kinds._errors import Errors, choice, label, port, required, subdomain
from kubelearn.api.kinds._podspec_validation import ip
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("", "v1", "Endpoints", "endpoints", "endpoints", True, short_names=("ep",))


def default(obj: Obj) -> None:
    for subset in r.objects(obj, "subsets"):
        for item in r.objects(subset, "ports"):
            r.fill_text(item, "protocol", "TCP")


def host_port(host: str, number: int) -> str:
    return f"[{host}]:{number}" if ":" in host else f"{host}:{number}"


def _endpoints(obj: Obj) -> str:
    found: list[str] = []
    for subset in r.objects(obj, "subsets"):
        hosts = [r.text(address, "ip") for address in r.objects(subset, "addresses")]
        ports = r.objects(subset, "ports")
        if not ports:
            found += hosts
        for item in ports:
            found += [host_port(host, r.count(item, "port")) for host in hosts]
    return listed(found)


def _address(path: str, address: Obj) -> Errors:
    out = ip(f"{path}.ip", r.text(address, "ip"))
    if host := r.text(address, "hostname"):
        out += label(f"{path}.hostname", host)
    if node := r.text(address, "nodeName"):
        out += subdomain(f"{path}.nodeName", node)
    return out


def _port(path: str, item: Obj, *, named: bool) -> Errors:
    out: Errors = []
    if name := r.text(item, "name"):
        out += label(f"{path}.name", name)
    elif named:
        out.append(required(f"{path}.name"))
    out += port(f"{path}.port", r.count(item, "port"))
    return out + choice(f"{path}.protocol", r.text(item, "protocol"), PROTOCOLS)


def validate(obj: Obj) -> list[FieldError]:
    out: Errors = []
    for index, subset in enumerate(r.objects(obj, "subsets")):
        path = f"subsets[{index}]"
        if not r.objects(subset, "addresses") and not r.objects(subset, "notReadyAddresses"):
            out.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
        for key in ("addresses", "notReadyAddresses"):
            for at, address in enumerate(r.objects(subset, key)):
                out += _address(f"{path}.{key}[{at}]", address)
        ports = r.objects(subset, "ports")
        for at, item in enumerate(ports):
            out += _port(f"{path}.ports[{at}]", item, named=len(ports) > 1)
    return out


KIND = Kind(
    RESOURCE,
    (NAME, Column("Endpoints", _endpoints, description="Where the Service's traffic goes."), AGE),
    default,
    validate,
    create_on_update=True,
)
