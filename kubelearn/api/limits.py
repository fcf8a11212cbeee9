"""What a LimitRange fills in and forbids. Pure. Source: Kubernetes' plugin/pkg/admission/limitranger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from kubelearn.api import pod_resources, quantity
from kubelearn.api.resource import Obj

ANNOTATION = "kubernetes.io/limit-ranger"


def fill(pod: Obj, limit_range: Obj) -> None:
    """Requests and limits that containers leave out, and an annotation that says which."""
    limits: Obj = {}
    requests: Obj = {}
    for item in limit_range["spec"].get("limits") or ():
        if item.get("type") == "Container":
            limits |= item.get("default") or {}
            requests |= item.get("defaultRequest") or {}
    told: list[str] = []
    for key, words in (("containers", "container"), ("initContainers", "init container")):
        for container in pod["spec"].get(key) or ():
            told += _fill(container, requests, limits, words)
    if told:
        annotations = pod["metadata"].setdefault("annotations", {})
        annotations[ANNOTATION] = "LimitRanger plugin set: " + "; ".join(told)


def _fill(container: Obj, requests: Obj, limits: Obj, words: str) -> Iterator[str]:
    resources = container.setdefault("resources", {})
    for side, singular, defaults in (("requests", "request", requests), ("limits", "limit", limits)):
        missing = sorted(set(defaults) - set(resources.get(side) or {}))
        if missing:
            resources[side] = {**(resources.get(side) or {}), **{name: defaults[name] for name in missing}}
            yield f"{', '.join(missing)} {singular} for {words} {container['name']}"


def problems_of_pod(pod: Obj, limit_range: Obj) -> list[str]:
    out: list[str] = []
    for item in limit_range["spec"].get("limits") or ():
        if item.get("type") == "Container":
            for container in pod_resources.containers(pod["spec"]):
                found = container.get("resources") or {}
                out += _problems(item, "Container", found.get("requests") or {}, found.get("limits") or {})
        elif item.get("type") == "Pod":
            sums = (
                {name: quantity.format(value) for name, value in pod_resources.total(pod["spec"], side).items()}
                for side in ("requests", "limits")
            )
            out += _problems(item, "Pod", *sums)
    return out


def problems_of_claim(claim: Obj, limit_range: Obj) -> list[str]:
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    out: list[str] = []
    for item in limit_range["spec"].get("limits") or ():
        if item.get("type") == "PersistentVolumeClaim":
            for name, bound in (item.get("min") or {}).items():
                out += _least("PersistentVolumeClaim", name, bound, requests, {})
            for name, bound in (item.get("max") or {}).items():
                out += _most_requested("PersistentVolumeClaim", name, bound, requests)
    return out


def together(found: list[str]) -> str:
    """Several errors as Go's aggregate writes them."""
    unique = list(dict.fromkeys(found))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"


Texts = Mapping[str, Any]


def _problems(item: Obj, kind: str, requests: Texts, limits: Texts) -> Iterator[str]:
    for name, bound in (item.get("min") or {}).items():
        yield from _least(kind, name, bound, requests, limits)
    for name, bound in (item.get("max") or {}).items():
        yield from _most(kind, name, bound, requests, limits)
    for name, bound in (item.get("maxLimitRequestRatio") or {}).items():
        yield from _ratio(kind, name, bound, requests, limits)


def _least(kind: str, name: str, bound: str, requests: Texts, limits: Texts) -> Iterator[str]:
    rule = f"minimum {name} usage per {kind} is {bound}"
    if name not in requests:
        yield f"{rule}.  No request is specified"
    elif quantity.compare(requests[name], bound) < 0:
        yield f"{rule}, but request is {requests[name]}"
    elif name in limits and quantity.compare(limits[name], bound) < 0:
        yield f"{rule}, but limit is {limits[name]}"


def _most(kind: str, name: str, bound: str, requests: Texts, limits: Texts) -> Iterator[str]:
    rule = f"maximum {name} usage per {kind} is {bound}"
    if name not in limits:
        yield f"{rule}.  No limit is specified"
    elif quantity.compare(limits[name], bound) > 0:
        yield f"{rule}, but limit is {limits[name]}"
    elif name in requests and quantity.compare(requests[name], bound) > 0:
        yield f"{rule}, but request is {requests[name]}"


def _most_requested(kind: str, name: str, bound: str, requests: Texts) -> Iterator[str]:
    rule = f"maximum {name} usage per {kind} is {bound}"
    if name not in requests:
        yield f"{rule}.  No request is specified"
    elif quantity.compare(requests[name], bound) > 0:
        yield f"{rule}, but request is {requests[name]}"


def _ratio(kind: str, name: str, bound: str, requests: Texts, limits: Texts) -> Iterator[str]:
    rule = f"{name} max limit to request ratio per {kind} is {bound}"
    request, limit = (quantity.parse(found.get(name, 0)) for found in (requests, limits))
    if request == Decimal():
        yield f"{rule}, but no request is specified or request is 0"
    elif limit == Decimal():
        yield f"{rule}, but no limit is specified or limit is 0"
    elif limit / request > quantity.parse(bound):
        yield f"{rule}, but provided ratio is {float(limit / request):f}"
