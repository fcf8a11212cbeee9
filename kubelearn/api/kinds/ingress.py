"""Ingress (networking.k8s.io/v1)."""

from __future__ import annotations

import ipaddress

from kubelearn.api import names
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, MAX_LISTED, NAME, NONE, text_at
from kubelearn.api.kinds._errors import Errors, all_invalid, invalid, label, port, required, subdomain, unsupported
from kubelearn.api.kinds._networking import reference, wildcard
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "networking.k8s.io", "v1", "Ingress", "ingresses", "ingress", True, short_names=("ing",), subresources=("status",)
)  # fmt: skip
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_SEQUENCES, _SUFFIXES = ("//", "/./", "/../", "%2f", "%2F"), ("/..", "/.")
_ADDRESS_WIDTH = 16


def default(obj: Obj) -> None:
    r.ensure(obj, "spec")
    r.ensure(r.ensure(obj, "status"), "loadBalancer")


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {"loadBalancer": {}}


def _backend(path: str, backend: Obj) -> Errors:
    by_resource, by_service = r.has(backend, "resource"), r.has(backend, "service")
    if by_resource and by_service:
        return [invalid(path, "", "cannot set both resource and service backends")]
    if by_resource:
        return reference(f"{path}.resource", r.mapping(backend, "resource"))
    if not by_service:
        return [invalid(path, "", "resource or service backend is required")]
    service = r.mapping(backend, "service")
    name, target = r.text(service, "name"), r.mapping(service, "port")
    out = label(f"{path}.service.name", name) if name else [required(f"{path}.service.name")]
    port_name, number = r.text(target, "name"), r.count(target, "number")
    if port_name and number:
        out.append(invalid(path, "", "cannot set both port name & port number"))
    elif port_name:
        out += all_invalid(f"{path}.service.port.name", port_name, names.port_name(port_name))
    elif number:
        out += port(f"{path}.service.port.number", number)
    else:
        out.append(required(path, "port name or number is required"))
    return out


def _path(path: str, item: Obj) -> Errors:
    if not r.has(item, "pathType"):
        return [required(f"{path}.pathType", "pathType must be specified")]
    kind, given = r.text(item, "pathType"), r.text(item, "path")
    where = f"{path}.path"
    out: Errors = []
    if kind not in _PATH_TYPES:
        out.append(unsupported(f"{path}.pathType", kind, _PATH_TYPES))
    elif not given.startswith("/") and (given or kind != "ImplementationSpecific"):
        out.append(invalid(where, given, "must be an absolute path"))
    if kind in ("Exact", "Prefix"):
        out += [invalid(where, given, f"must not contain '{bad}'") for bad in _SEQUENCES if bad in given]
        out += [invalid(where, given, f"cannot end with '{bad}'") for bad in _SUFFIXES if given.endswith(bad)]
    return out + _backend(f"{path}.backend", r.mapping(item, "backend"))


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _rule(path: str, rule: Obj) -> Errors:
    out: Errors = []
    if host := r.text(rule, "host"):
        if _is_ip(host):
            out.append(invalid(f"{path}.host", host, "must be a DNS name, not an IP address"))
        out += wildcard(f"{path}.host", host) if "*" in host else subdomain(f"{path}.host", host)
    if r.has(rule, "http"):
        paths = r.objects(r.mapping(rule, "http"), "paths")
        if not paths:
            out.append(required(f"{path}.http.paths"))
        for index, item in enumerate(paths):
            out += _path(f"{path}.http.paths[{index}]", item)
    return out


def _tls(path: str, item: Obj) -> Errors:
    out: Errors = []
    for index, host in enumerate(r.strings(item, "hosts")):
        where = f"{path}.hosts[{index}]"
        out += wildcard(where, host) if "*" in host else subdomain(where, host)
    secret = r.text(item, "secretName")
    return out + (subdomain(f"{path}.secretName", secret) if secret else [])


def validate(obj: Obj) -> list[FieldError]:
    spec, meta = r.mapping(obj, "spec"), r.mapping(obj, "metadata")
    rules = r.objects(spec, "rules")
    out: Errors = []
    if not rules and not r.has(spec, "defaultBackend"):
        out.append(invalid("spec", spec.get("rules"), "either `defaultBackend` or `rules` must be specified"))
    if r.has(spec, "defaultBackend"):
        out += _backend("spec.defaultBackend", r.mapping(spec, "defaultBackend"))
    for index, rule in enumerate(rules):
        out += _rule(f"spec.rules[{index}]", rule)
    for index, item in enumerate(r.objects(spec, "tls")):
        out += _tls(f"spec.tls[{index}]", item)
    chosen = r.text(spec, "ingressClassName")
    if r.has(spec, "ingressClassName"):
        out += subdomain("spec.ingressClassName", chosen)
    annotated = r.string_map(meta, "annotations").get(_CLASS_ANNOTATION)
    is_new = not r.text(meta, "resourceVersion")
    if is_new and annotated is not None and r.has(spec, "ingressClassName") and annotated != chosen:
        text = "must match `ingressClassName` when both are specified"
        out.append(invalid(f"annotations.{_CLASS_ANNOTATION}", annotated, text))
    return out


def _hosts(obj: Obj) -> str:
    rules = r.objects(r.mapping(obj, "spec"), "rules")
    hosts = [host for rule in rules if (host := r.text(rule, "host"))]
    if not hosts:
        return "*"
    shown = ",".join(hosts[:MAX_LISTED])
    return f"{shown} + {len(hosts) - MAX_LISTED} more..." if len(hosts) > MAX_LISTED else shown


def _address(obj: Obj) -> str:
    found = r.objects(r.mapping(obj, "status", "loadBalancer"), "ingress")
    shown = ",".join(r.text(item, "ip") or r.text(item, "hostname") for item in found)
    return shown if len(shown) <= _ADDRESS_WIDTH else shown[: _ADDRESS_WIDTH - 3] + "..."


COLUMNS = (
    NAME,
    Column("Class", text_at("spec", "ingressClassName", default=NONE), description="Which controller serves it."),
    Column("Hosts", _hosts, description="Host names that it routes."),
    Column("Address", _address, description="Where it is reached."),
    Column("Ports", lambda obj: "80, 443" if r.objects(r.mapping(obj, "spec"), "tls") else "80",
           description="With TLS 443 too."),
    AGE,
)  # fmt: skip
KIND = Kind(RESOURCE, COLUMNS, default, validate, prepare=prepare, has_status=True, has_generation=True)
