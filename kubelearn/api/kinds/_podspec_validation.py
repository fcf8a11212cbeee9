"""Validation of a pod's spec and of a pod template, in the order of core's ValidatePodSpec."""

from __future__ import annotations

import ipaddress

from kubelearn.api import names
from kubelearn.api.kinds import _containers as containers
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds import _scheduling as scheduling
from kubelearn.api.kinds._errors import (
    MAX_INT32,
    Errors,
    all_invalid,
    choice,
    forbidden,
    invalid,
    label,
    required,
    subdomain,
    unsupported,
)
from kubelearn.api.kinds._security import pod_security, unmasked
from kubelearn.api.kinds._volumes import volumes
from kubelearn.api.resource import Obj

RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_IP_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_CIDR_TEXT = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_MAX_NAMESERVERS, _MAX_SEARCHES, _MAX_SEARCH_CHARACTERS = 3, 32, 2048


def ip(path: str, value: str) -> Errors:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return [invalid(path, value, _IP_TEXT)]
    return []


def cidr(path: str, value: str) -> Errors:
    try:
        if "/" in value and ipaddress.ip_network(value, strict=False):
            return []
    except ValueError:
        pass
    return [invalid(path, value, _CIDR_TEXT)]


def _host_network(path: str, spec: Obj, *, is_pod: bool) -> Errors:
    out: Errors = []
    if not r.flag(spec, "hostNetwork"):
        return out
    for index, container in enumerate(r.objects(spec, "containers")):
        for port_index, port in enumerate(r.objects(container, "ports")):
            host = r.count(port, "hostPort")
            if (is_pod or host) and host != r.count(port, "containerPort"):
                where = f"{path}.containers[{index}].ports[{port_index}].hostPort"
                out.append(invalid(where, host, "must match `containerPort` when `hostNetwork` is true"))
    return out


def _dns_config(path: str, spec: Obj) -> Errors:
    config = r.mapping(spec, "dnsConfig")
    servers, searches = r.strings(config, "nameservers"), r.strings(config, "searches")
    if r.text(spec, "dnsPolicy") == "None":
        if not r.has(spec, "dnsConfig"):
            return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")]
        if not servers:
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            return [required(f"{path}.nameservers", text)]
    out: Errors = []
    if len(servers) > _MAX_NAMESERVERS:
        text = f"must not have more than {_MAX_NAMESERVERS} nameservers"
        out.append(invalid(f"{path}.nameservers", servers, text))
    for index, server in enumerate(servers):
        out += ip(f"{path}.nameservers[{index}]", server)
    if len(searches) > _MAX_SEARCHES:
        text = f"must not have more than {_MAX_SEARCHES} search paths"
        out.append(invalid(f"{path}.searches", searches, text))
    if len(" ".join(searches)) > _MAX_SEARCH_CHARACTERS:
        text = f"must not have more than {_MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list"
        out.append(invalid(f"{path}.searches", searches, text))
    for index, search in enumerate(searches):
        if search != ".":
            plain = search.removesuffix(".")
            out += all_invalid(f"{path}.searches[{index}]", plain, names.dns1123_subdomain(plain.replace("_", "-")))
    for index, option in enumerate(r.objects(config, "options")):
        if not r.text(option, "name"):
            out.append(required(f"{path}.options[{index}]", "must not be empty"))
    return out


def _placement(path: str, spec: Obj) -> Errors:
    out = scheduling.affinity(f"{path}.affinity", r.mapping(spec, "affinity"))
    out += _dns_config(f"{path}.dnsConfig", spec)
    for index, gate in enumerate(r.objects(spec, "readinessGates")):
        kind = r.text(gate, "conditionType")
        out += all_invalid(f"{path}.readinessGates[{index}].conditionType", kind, names.qualified_name(kind))
    out += scheduling.scheduling_gates(f"{path}.schedulingGates", r.objects(spec, "schedulingGates"))
    constraints = r.objects(spec, "topologySpreadConstraints")
    return out + scheduling.topology_spread(f"{path}.topologySpreadConstraints", constraints)


def _identity(path: str, spec: Obj) -> Errors:
    out: Errors = []
    for key in ("serviceAccountName", "nodeName"):
        if value := r.text(spec, key):
            out += subdomain(f"{path}.{key}", value)
    deadline = r.number(spec, "activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        text = f"must be between 1 and {MAX_INT32}, inclusive"
        out.append(invalid(f"{path}.activeDeadlineSeconds", deadline, text))
    for key in ("hostname", "subdomain"):
        if value := r.text(spec, key):
            out += label(f"{path}.{key}", value)
    out += scheduling.tolerations(f"{path}.tolerations", r.objects(spec, "tolerations"))
    for index, alias in enumerate(r.objects(spec, "hostAliases")):
        out += ip(f"{path}.hostAliases[{index}].ip", r.text(alias, "ip"))
        for at, host in enumerate(r.strings(alias, "hostnames")):
            out += subdomain(f"{path}.hostAliases[{index}].hostnames[{at}]", host)
    for key in ("priorityClassName", "runtimeClassName"):
        if value := r.text(spec, key):
            out += subdomain(f"{path}.{key}", value)
    if policy := r.text(spec, "preemptionPolicy"):
        out += choice(f"{path}.preemptionPolicy", policy, ("PreemptLowerPriority", "Never"))
    system = r.text(r.mapping(spec, "os"), "name")
    if r.has(spec, "os") and not system:
        out.append(required(f"{path}.os.name", "cannot be empty"))
    elif system and system not in ("linux", "windows"):
        out.append(unsupported(f"{path}.os", system, ("linux", "windows")))
    return out


def validate_spec(path: str, spec: Obj, *, is_pod: bool) -> Errors:
    known, out = volumes(f"{path}.volumes", r.objects(spec, "volumes"))
    out += containers.regular(f"{path}.containers", spec, known)
    out += containers.init(f"{path}.initContainers", spec, known)
    out += containers.ephemeral(f"{path}.ephemeralContainers", spec, known)
    out += unmasked(path, spec)
    out += _host_network(path, spec, is_pod=is_pod)
    out += choice(f"{path}.restartPolicy", r.text(spec, "restartPolicy"), RESTART_POLICIES)
    out += choice(f"{path}.dnsPolicy", r.text(spec, "dnsPolicy"), _DNS_POLICIES)
    out += names.label_map(r.string_map(spec, "nodeSelector"), f"{path}.nodeSelector")
    out += pod_security(f"{path}.securityContext", spec)
    out += _placement(path, spec)
    return out + _identity(path, spec)


def validate_template(path: str, template: Obj) -> Errors:
    """A PodTemplateSpec."""
    meta = r.mapping(template, "metadata")
    out: Errors = list(names.label_map(r.string_map(meta, "labels"), f"{path}.labels"))
    out += names.annotation_map(r.string_map(meta, "annotations"), f"{path}.annotations")
    spec = r.mapping(template, "spec")
    out += validate_spec(f"{path}.spec", spec, is_pod=False)
    if r.objects(spec, "ephemeralContainers"):
        text = "ephemeral containers not allowed in pod template"
        out.append(forbidden(f"{path}.spec.ephemeralContainers", text))
    return out
