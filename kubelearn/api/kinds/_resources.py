"""Validation of resource names and amounts, in containers and on nodes."""

from __future__ import annotations

from typing import Any

from kubelearn.api import names, quantity
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import NEGATIVE, Errors, all_invalid, forbidden, invalid, required
from kubelearn.api.resource import Obj

_CONTAINER = {"cpu", "memory", "ephemeral-storage"}
_STANDARD = _CONTAINER | {
    "storage", "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage", "limits.cpu",
    "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services", "services.nodeports",
    "services.loadbalancers", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
}  # fmt: skip
_HUGE_PAGES = "hugepages-"


def is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def overcommits(name: str) -> bool:
    return is_native(name) and not name.startswith(_HUGE_PAGES)


def _is_extended(name: str) -> bool:
    return not is_native(name) and not name.startswith("requests.") and not names.qualified_name(f"requests.{name}")


def resource_name(path: str, name: str) -> Errors:
    out = all_invalid(path, name, names.qualified_name(name))
    if not out and "/" not in name and name not in _STANDARD and not name.startswith(_HUGE_PAGES):
        out.append(invalid(path, name, "must be a standard resource type or fully qualified"))
    return out


def container_resource_name(path: str, name: str) -> Errors:
    out = resource_name(path, name)
    if "/" not in name:
        if name not in _CONTAINER and not name.startswith(_HUGE_PAGES):
            out.append(invalid(path, name, "must be a standard resource for containers"))
    elif not is_native(name) and not _is_extended(name):
        out.append(invalid(path, name, "doesn't follow extended resource name standard"))
    return out


def amount(path: str, name: str, value: Any) -> Errors:
    """A quantity that may not be negative, and must be whole for what is counted in pieces."""
    text = str(value)
    try:
        found = quantity.parse(text)
    except ValueError as error:
        return [invalid(path, text, str(error))]
    out = [invalid(path, text, NEGATIVE)] if found < 0 else []
    if _is_extended(name) and found != found.to_integral_value():
        out.append(invalid(path, text, "must be an integer"))
    return out


def is_whole(path: str, value: Any) -> Errors:
    """What is counted in pieces, whatever its name says."""
    try:
        found = quantity.parse(str(value))
    except ValueError:
        return []
    return [] if found == found.to_integral_value() else [invalid(path, str(value), "must be an integer")]


def _request_within_limit(path: str, name: str, request: Any, limits: Obj) -> Errors:
    if name not in limits:
        if overcommits(name):
            return []
        return [required(f"{path}.limits", "Limit must be set for non overcommitable resources")]
    limit = limits[name]
    try:
        order = quantity.compare(str(request), str(limit))
    except ValueError:
        return []
    if order and not overcommits(name):
        return [invalid(f"{path}.requests", str(request), f"must be equal to {name} limit of {limit}")]
    if order > 0:
        return [invalid(f"{path}.requests", str(request), f"must be less than or equal to {name} limit of {limit}")]
    return []


def requirements(path: str, resources: Obj) -> Errors:
    """A container's `resources`."""
    out: Errors = []
    limits, requests = r.mapping(resources, "limits"), r.mapping(resources, "requests")
    for name, value in sorted(limits.items()):
        where = f"{path}.limits[{name}]"
        out += container_resource_name(where, name) + amount(where, name, value)
    for name, value in sorted(requests.items()):
        where = f"{path}.requests[{name}]"
        out += container_resource_name(where, name) + amount(where, name, value)
        out += _request_within_limit(path, name, value, limits)
    counted = set(limits) | set(requests)
    if any(name.startswith(_HUGE_PAGES) for name in counted) and not counted & {"cpu", "memory"}:
        out.append(forbidden(path, "HugePages require cpu or memory"))
    return out
