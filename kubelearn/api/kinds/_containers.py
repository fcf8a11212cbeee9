"""Validation of a pod's containers: regular, init and ephemeral ones."""

from __future__ import annotations

import re
from typing import Any

from kubelearn.api import names
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._env import env, env_from
from kubelearn.api.kinds._errors import (
    Errors,
    all_invalid,
    choice,
    duplicate,
    forbidden,
    invalid,
    label,
    nonnegative,
    not_found,
    port,
    port_or_name,
    required,
    unsupported,
)
from kubelearn.api.kinds._mounts import devices, mounts
from kubelearn.api.kinds._resources import requirements
from kubelearn.api.kinds._security import container_security
from kubelearn.api.kinds._volumes import PULL_POLICIES
from kubelearn.api.resource import Obj

PROTOCOLS = ("SCTP", "TCP", "UDP")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HEADER = "[-A-Za-z0-9]+"
_HEADER_TEXT = names.regex_text(
    "a valid HTTP header must consist of alphanumeric characters or '-'", _HEADER, "X-Header-Name"
)
_EPHEMERAL_FORBIDDEN = (
    "ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy", "restartPolicy",
)  # fmt: skip


def _ports(path: str, ports: list[Obj]) -> Errors:
    out: Errors = []
    seen: set[str] = set()
    for index, item in enumerate(ports):
        where = f"{path}[{index}]"
        if name := r.text(item, "name"):
            texts = names.port_name(name)
            out += all_invalid(f"{where}.name", name, texts)
            if not texts and name in seen:
                out.append(duplicate(f"{where}.name", name))
            elif not texts:
                seen.add(name)
        number = r.count(item, "containerPort")
        out += port(f"{where}.containerPort", number) if number else [required(f"{where}.containerPort")]
        if host := r.count(item, "hostPort"):
            out += port(f"{where}.hostPort", host)
        out += choice(f"{where}.protocol", r.text(item, "protocol"), PROTOCOLS)
    return out


def _resize(path: str, policies: list[Obj], pod_restart: str) -> Errors:
    out: Errors = []
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        resource, restart = r.text(policy, "resourceName"), r.text(policy, "restartPolicy")
        if resource in seen:
            out.append(duplicate(f"{path}[{index}]", resource))
        seen.add(resource)
        out += choice(path, resource, ("cpu", "memory"))
        out += choice(path, restart, ("NotRequired", "RestartContainer"))
        if pod_restart == "Never" and restart != "NotRequired":
            out.append(invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'"))
    return out


def _common(path: str, container: Obj, volumes: dict[str, Obj], pod_restart: str) -> Errors:
    name = r.text(container, "name")
    out = label(f"{path}.name", name) if name else [required(f"{path}.name")]
    if not r.text(container, "image"):
        out.append(required(f"{path}.image"))
    policy = r.text(container, "terminationMessagePolicy")
    out += choice(f"{path}.terminationMessagePolicy", policy, _MESSAGE_POLICIES)
    out += _ports(f"{path}.ports", r.objects(container, "ports"))
    out += env(f"{path}.env", r.objects(container, "env"))
    out += env_from(f"{path}.envFrom", r.objects(container, "envFrom"))
    out += mounts(f"{path}.volumeMounts", container, volumes)
    out += devices(f"{path}.volumeDevices", container, volumes)
    out += choice(f"{path}.imagePullPolicy", r.text(container, "imagePullPolicy"), PULL_POLICIES)
    out += requirements(f"{path}.resources", r.mapping(container, "resources"))
    out += _resize(f"{path}.resizePolicy", r.objects(container, "resizePolicy"), pod_restart)
    out += container_security(f"{path}.securityContext", r.mapping(container, "securityContext"))
    return out


def _http_get(path: str, action: Obj) -> Errors:
    out = [] if r.text(action, "path") else [required(f"{path}.path")]
    out += port_or_name(f"{path}.port", action.get("port"))
    scheme = r.text(action, "scheme")
    if scheme not in ("HTTP", "HTTPS"):
        out.append(unsupported(f"{path}.scheme", scheme, ("HTTP", "HTTPS")))
    for header in r.objects(action, "httpHeaders"):
        name = r.text(header, "name")
        if not re.fullmatch(_HEADER, name):
            out.append(invalid(f"{path}.httpHeaders", name, _HEADER_TEXT))
    return out


def _exec(path: str, action: Obj) -> Errors:
    return [] if r.strings(action, "command") else [required(f"{path}.command")]


def _handler(path: str, handler: Obj, kinds: tuple[str, ...], grace: int | None) -> Errors:
    """Exactly one of exec, httpGet, tcpSocket, grpc (probes) or sleep (hooks)."""
    out: Errors = []
    found = [kind for kind in kinds if r.has(handler, kind)]
    for position, kind in enumerate(found):
        where, action = f"{path}.{kind}", r.mapping(handler, kind)
        if position:
            out.append(forbidden(where, "may not specify more than 1 handler type"))
        elif kind == "exec":
            out += _exec(where, action)
        elif kind == "httpGet":
            out += _http_get(where, action)
        elif kind == "sleep":
            seconds = r.count(action, "seconds")
            if grace is not None and not 0 <= seconds <= grace:
                text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
                out.append(invalid(where, seconds, text))
        else:
            out += port_or_name(f"{where}.port", action.get("port"))
    return out if found else [required(path, "must specify a handler type")]


def _probe(path: str, probe: Obj, kind: str) -> Errors:
    out = _handler(path, probe, ("exec", "httpGet", "tcpSocket", "grpc"), None)
    for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        out += nonnegative(f"{path}.{key}", r.count(probe, key))
    grace = r.number(probe, "terminationGracePeriodSeconds")
    where = f"{path}.terminationGracePeriodSeconds"
    if grace is not None and grace <= 0:
        out.append(invalid(where, grace, "must be greater than 0"))
    if kind == "readinessProbe":
        if grace is not None:
            out.append(invalid(where, grace, "must not be set for readinessProbes"))
    elif (threshold := r.count(probe, "successThreshold")) != 1:
        out.append(invalid(f"{path}.successThreshold", threshold, "must be 1"))
    return out


def _probes_and_hooks(path: str, container: Obj, grace: int | None) -> Errors:
    out: Errors = []
    for hook in ("postStart", "preStop"):
        if r.has(r.mapping(container, "lifecycle"), hook):
            where, handler = f"{path}.lifecycle.{hook}", r.mapping(container, "lifecycle", hook)
            out += _handler(where, handler, ("exec", "httpGet", "tcpSocket", "sleep"), grace)
    for kind in _PROBES:
        if r.has(container, kind):
            out += _probe(f"{path}.{kind}", r.mapping(container, kind), kind)
    return out


def _host_ports(path: str, containers: list[tuple[int, Obj]]) -> Errors:
    out: Errors = []
    seen: set[str] = set()
    for index, container in containers:
        for port_index, item in enumerate(r.objects(container, "ports")):
            number = r.count(item, "hostPort")
            text = f"{r.text(item, 'protocol')}/{r.text(item, 'hostIP')}/{number}"
            if number and text in seen:
                out.append(duplicate(f"{path}[{index}].ports[{port_index}].hostPort", text))
            seen.add(text)
    return out


def regular(path: str, spec: Obj, volumes: dict[str, Obj]) -> Errors:
    containers = r.objects(spec, "containers")
    if not containers:
        return [required(path)]
    out: Errors = []
    seen: set[str] = set()
    grace = r.number(spec, "terminationGracePeriodSeconds")
    for index, container in enumerate(containers):
        where, name = f"{path}[{index}]", r.text(container, "name")
        out += _common(where, container, volumes, r.text(spec, "restartPolicy"))
        if name in seen:
            out.append(duplicate(f"{where}.name", name))
        seen.add(name)
        out += _probes_and_hooks(where, container, grace)
        if restart := r.text(container, "restartPolicy"):
            out += choice(f"{where}.restartPolicy", restart, ("Always", "Never", "OnFailure"))
    return out + _host_ports(path, list(enumerate(containers)))


def init(path: str, spec: Obj, volumes: dict[str, Obj]) -> Errors:
    out: Errors = []
    seen = {r.text(container, "name") for container in r.objects(spec, "containers")}
    for index, container in enumerate(r.objects(spec, "initContainers")):
        where, name = f"{path}[{index}]", r.text(container, "name")
        out += _common(where, container, volumes, r.text(spec, "restartPolicy"))
        restart: Any = container.get("restartPolicy")
        if restart is not None:
            out += choice(f"{where}.restartPolicy", str(restart), ("Always", "Never", "OnFailure"))
        if name in seen:
            out.append(duplicate(f"{where}.name", name))
        if name:
            seen.add(name)
        out += _host_ports(path, [(0, container)])
        if restart == "Always":
            out += _probes_and_hooks(where, container, r.number(spec, "terminationGracePeriodSeconds"))
            continue
        for key in ("lifecycle", *_PROBES):
            if r.has(container, key):
                text = "may not be set for init containers without restartPolicy=Always"
                out.append(forbidden(f"{where}.{key}", text))
    return out


def ephemeral(path: str, spec: Obj, volumes: dict[str, Obj]) -> Errors:
    out: Errors = []
    others = {r.text(c, "name") for key in ("containers", "initContainers") for c in r.objects(spec, key)}
    seen = set(others)
    for index, container in enumerate(r.objects(spec, "ephemeralContainers")):
        where, name = f"{path}[{index}]", r.text(container, "name")
        out += _common(where, container, volumes, r.text(spec, "restartPolicy"))
        if name in seen:
            out.append(duplicate(f"{where}.name", name))
        seen.add(name)
        target = r.text(container, "targetContainerName")
        if target and target not in others:
            out.append(not_found(f"{where}.targetContainerName", target))
        for key in _EPHEMERAL_FORBIDDEN:
            if container.get(key):
                out.append(forbidden(f"{where}.{key}", "cannot be set for an Ephemeral Container"))
        if any(r.mapping(container, "resources").values()):
            out.append(forbidden(f"{where}.resources", "cannot be set for an Ephemeral Container"))
    return out
