"""HorizontalPodAutoscaler (autoscaling/v2), the version that is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubelearn.api import names
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, number_at
from kubelearn.api.kinds._errors import Errors, all_invalid, invalid, required, unsupported
from kubelearn.api.kinds._hpa_metrics import SOURCES, canonical_metric, targets, validate_metrics
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "horizontalpodautoscaler", True,
    short_names=("hpa",), categories=("all",), subresources=("status",),
)  # fmt: skip
_CPU_UTILIZATION = 80
_SELECT_POLICIES, _POLICY_TYPES = ("Disabled", "Max", "Min"), ("Percent", "Pods")
_MAX_WINDOW, _MAX_PERIOD = 3600, 1800
UNSET = "<unset>"


def cpu_metric(utilization: int) -> Obj:
    target = {"type": "Utilization", "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _policy(kind: str, value: int) -> Obj:
    return {"type": kind, "value": value, "periodSeconds": 15}


def _default_behavior(behavior: Obj) -> None:
    """A behavior that is given says something for both directions."""
    up, down = r.ensure(behavior, "scaleUp"), r.ensure(behavior, "scaleDown")
    r.fill(up, "stabilizationWindowSeconds", 0)
    for rules, policies in ((up, [_policy("Pods", 4), _policy("Percent", 100)]), (down, [_policy("Percent", 100)])):
        r.fill(rules, "selectPolicy", "Max")
        r.fill(rules, "policies", policies)


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    r.fill(spec, "minReplicas", 1)
    if not r.objects(spec, "metrics"):
        spec["metrics"] = [cpu_metric(_CPU_UTILIZATION)]
    for metric in r.objects(spec, "metrics"):
        canonical_metric(metric)
    if r.has(spec, "behavior"):
        _default_behavior(r.mapping(spec, "behavior"))
    status = r.ensure(obj, "status")
    r.fill(status, "desiredReplicas", 0)
    status.setdefault("currentMetrics", None)


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {"desiredReplicas": 0, "currentMetrics": None}


def reference(path: str, found: Obj) -> Errors:
    """A CrossVersionObjectReference."""
    out: Errors = []
    for key in ("kind", "name"):
        value = r.text(found, key)
        out += all_invalid(f"{path}.{key}", value, names.path_segment(value)) if value else [required(f"{path}.{key}")]
    return out


def _target(path: str, found: Obj) -> Errors:
    out = reference(path, found)
    version = r.text(found, "apiVersion")
    if version.count("/") > 1:
        out.append(invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}"))
    elif not version.partition("/")[1] or not version.partition("/")[0]:
        out.append(invalid(f"{path}.apiVersion", version, "apiVersion must specify API group"))
    return out


def _rules(path: str, rules: Obj) -> Errors:
    out: Errors = []
    window, select = r.number(rules, "stabilizationWindowSeconds"), r.text(rules, "selectPolicy")
    if window is not None and window < 0:
        text = "must be greater than or equal to zero"
        out.append(invalid(f"{path}.stabilizationWindowSeconds", window, text))
    if window is not None and window > _MAX_WINDOW:
        text = f"must be less than or equal to {_MAX_WINDOW}"
        out.append(invalid(f"{path}.stabilizationWindowSeconds", window, text))
    if r.has(rules, "selectPolicy") and select not in _SELECT_POLICIES:
        out.append(unsupported(f"{path}.selectPolicy", select, _SELECT_POLICIES))
    policies = r.objects(rules, "policies")
    if not policies:
        out.append(required(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(policies):
        where, kind = f"{path}.policies[{index}]", r.text(policy, "type")
        if kind not in _POLICY_TYPES:
            out.append(unsupported(f"{where}.type", kind, _POLICY_TYPES))
        for key in ("value", "periodSeconds"):
            if r.count(policy, key) <= 0:
                out.append(invalid(f"{where}.{key}", r.count(policy, key), "must be greater than zero"))
        if (period := r.count(policy, "periodSeconds")) > _MAX_PERIOD:
            text = f"must be less than or equal to {_MAX_PERIOD}"
            out.append(invalid(f"{where}.periodSeconds", period, text))
    return out


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    least, most = r.number(spec, "minReplicas"), r.count(spec, "maxReplicas")
    out: Errors = []
    if least is not None and least < 1:
        out.append(invalid("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most == 0:
        out.append(required("spec.maxReplicas", "must be set and greater than 0"))
    elif most < 0:
        out.append(invalid("spec.maxReplicas", most, "must be greater than 0"))
    if least is not None and most < least:
        out.append(invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    out += _target("spec.scaleTargetRef", r.mapping(spec, "scaleTargetRef"))
    out += validate_metrics("spec.metrics", r.objects(spec, "metrics"))
    for direction in ("scaleUp", "scaleDown"):
        behavior = r.mapping(spec, "behavior")
        if r.has(behavior, direction):
            out += _rules(f"spec.behavior.{direction}", r.mapping(behavior, direction))
    return out


def _reference(obj: Obj) -> str:
    found = r.mapping(obj, "spec", "scaleTargetRef")
    return f"{r.text(found, 'kind')}/{r.text(found, 'name')}"


def _targets(obj: Obj) -> str:
    return targets(r.objects(r.mapping(obj, "spec"), "metrics"), r.objects(r.mapping(obj, "status"), "currentMetrics"))


def _least(obj: Obj) -> str:
    found = r.number(r.mapping(obj, "spec"), "minReplicas")
    return UNSET if found is None else str(found)


def _column(name: str, cell: Callable[[Obj], Any], description: str) -> Column:
    return Column(name, cell, description=description)


COLUMNS = (
    NAME,
    _column("Reference", _reference, "What it scales."),
    _column("Targets", _targets, "What is measured, and what it is to be."),
    _column("MinPods", _least, "The fewest pods."),
    _column("MaxPods", number_at("spec", "maxReplicas"), "The most pods."),
    _column("Replicas", number_at("status", "currentReplicas"), "Pods that there are."),
    AGE,
)
KIND = Kind(RESOURCE, COLUMNS, default, validate, prepare=prepare, has_status=True)

__all__ = ["COLUMNS", "KIND", "RESOURCE", "SOURCES", "cpu_metric", "reference"]
