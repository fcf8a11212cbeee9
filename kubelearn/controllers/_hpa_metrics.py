"""What a HorizontalPodAutoscaler's metrics say now, read from metrics.k8s.io.

Source: Kubernetes' pkg/controller/podautoscaler/metrics and replica_calculator.go, whose texts these are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kubelearn.api import pod_resources, quantity
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers import _hpa_math
from kubelearn.controllers._hpa_math import Metric, Target
from kubelearn.controllers.base import PODS, ControllerContext
from kubelearn.kit import clock

POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "PodMetrics", "pods", "", True)
_WINDOW = re.compile(r"(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
#: Metric types that need an API which nobody serves here: reason, and what could not be had.
_ELSEWHERE = {
    "Pods": ("FailedGetPodsMetric", "custom.metrics.k8s.io"),
    "Object": ("FailedGetObjectMetric", "custom.metrics.k8s.io"),
    "External": ("FailedGetExternalMetric", "external.metrics.k8s.io"),
}


class Unavailable(Exception):
    """`reason` is that of the condition ScalingActive."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Proposal:
    """`status` is the entry of `status.currentMetrics`, `name` what events call the metric."""

    replicas: int
    name: str
    status: Obj


async def propose(context: ControllerContext, namespace: str, metric: Obj, selector: Any, current: int) -> Proposal:
    """Raises Unavailable."""
    kind = metric["type"]
    if kind in _ELSEWHERE:
        reason, group = _ELSEWHERE[kind]
        raise Unavailable(reason, f"no API serves {group}")
    source = metric["resource" if kind == "Resource" else "containerResource"]
    reason = f"FailedGet{kind}Metric"
    try:
        return await _resource(context, namespace, source, selector, current)
    except _Missing as error:
        what = "utilization" if source["target"].get("averageUtilization") is not None else "usage"
        raise Unavailable(reason, f"failed to get {source['name']} {what}: {error}") from error


class _Missing(Exception):
    pass


async def _resource(
    context: ControllerContext, namespace: str, source: Obj, selector: Any, current: int
) -> Proposal:  # fmt: skip
    name, container, wanted = source["name"], source.get("container", ""), source["target"]
    found = await _metrics(context, namespace, selector, name, container)
    pods = [p for p in context.informer(PODS).items(namespace) if selector.matches(p["metadata"].get("labels") or {})]
    if not pods:
        raise _Missing("no pods returned by selector while calculating replica count")
    groups = _hpa_math.group(pods, found, name, context.now())
    metrics = {pod: found[pod].value for pod in groups.ready}
    if not metrics:
        raise _Missing("did not receive metrics for targeted pods (pods might be unready)")
    utilization = wanted.get("averageUtilization")
    if utilization is None:
        target = Target(value=quantity.milli(wanted["averageValue"]))
    else:
        target = Target(utilization=utilization, requests=_requests(pods, name, container))
    status: Obj = {"averageValue": f"{sum(metrics.values()) // len(metrics)}m"}
    status["averageValue"] = quantity.canonical(status["averageValue"])
    if utilization is not None:
        requested = sum(target.requests.get(pod, 0) for pod in metrics)
        status["averageUtilization"] = sum(metrics.values()) * 100 // requested
    about = {"name": name, "current": status, **({"container": container} if container else {})}
    kind, key = ("ContainerResource", "containerResource") if container else ("Resource", "resource")
    named = f"{name} {'container ' if container else ''}resource"
    told = f"{named} utilization (percentage of request)" if utilization is not None else named
    wanted_replicas = _hpa_math.replicas(current, groups, metrics, target)
    return Proposal(wanted_replicas, told, {"type": kind, key: about})


async def _metrics(
    context: ControllerContext, namespace: str, selector: Any, name: str, container: str
) -> dict[str, Metric]:
    try:
        listed = await context.client.list(POD_METRICS, namespace, label_selector=str(selector))
    except ApiError as error:
        raise _Missing(f"unable to get metrics for resource {name}: {error.message}") from error
    out = {}
    for item in listed["items"]:
        used = [c["usage"].get(name) for c in item["containers"] if container in ("", c["name"])]
        if used and None not in used:
            value = sum(quantity.milli(amount) for amount in used)
            out[item["metadata"]["name"]] = Metric(value, clock.parse(item["timestamp"]), _duration(item["window"]))
    if not out:
        raise _Missing(f"unable to get metrics for resource {name}: no metrics returned from resource metrics API")
    return out


def _duration(text: str) -> timedelta:
    found = _WINDOW.fullmatch(text)
    minutes, seconds = found.groups() if found else (None, None)
    return timedelta(minutes=int(minutes or 0), seconds=float(seconds or 0))


def _requests(pods: Iterable[Obj], name: str, container: str) -> dict[str, int]:
    """Thousandths that each pod requests. Raises _Missing if a container does not say."""
    out: dict[str, int] = {}
    for pod in pods:
        total = 0
        for one in pod_resources.containers(pod["spec"]):
            if container not in ("", one["name"]) or (one.get("restartPolicy") != "Always" and _is_init(pod, one)):
                continue
            asked = ((one.get("resources") or {}).get("requests") or {}).get(name)
            if asked is None:
                of = pod["metadata"]["name"]
                raise _Missing(f"missing request for {name} in container {one['name']} of Pod {of}")
            total += quantity.milli(asked)
        out[pod["metadata"]["name"]] = total
    return out


def _is_init(pod: Obj, container: Obj) -> bool:
    return any(c["name"] == container["name"] for c in pod["spec"].get("initContainers") or ())
