"""HorizontalPodAutoscaler as autoscaling/v1: one target, of CPU; all that it cannot say is in annotations."""

from __future__ import annotations

import json
from typing import Any

from kubelearn.api.kind import Conversion, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds import horizontalpodautoscaler as v2
from kubelearn.api.kinds._hpa_metrics import SOURCES
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "horizontalpodautoscaler", True,
    short_names=("hpa",), categories=("all",), subresources=("status",),
)  # fmt: skip
_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR = (
    _PREFIX + name for name in ("metrics", "current-metrics", "conditions", "behavior")
)
_SAME_STATUS = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")


def _some(found: Obj) -> Obj:
    return {key: value for key, value in found.items() if value is not None}


def _old_source(kind: str, source: Obj, values: str, prefix: str) -> Obj:
    """A metric source as v1 spells it; `values` is `target` or `current`, in the old names `prefix`."""
    found, metric = r.mapping(source, values), r.mapping(source, "metric")
    average = f"{prefix}AverageValue"
    if kind in ("Resource", "ContainerResource"):
        out = {"name": source.get("name"), "container": source.get("container"),
               f"{prefix}AverageUtilization": found.get("averageUtilization")}  # fmt: skip
        return _some(out | {average: found.get("averageValue")})
    if kind == "Pods":
        return _some(
            {"metricName": metric.get("name"), average: found.get("averageValue"), "selector": metric.get("selector")}
        )
    if kind == "External":
        out = {"metricName": metric.get("name"), "metricSelector": metric.get("selector")}
        return _some(out | {f"{prefix}Value": found.get("value"), average: found.get("averageValue")})
    described = source.get("describedObject")
    out = {"target": described, "metricName": metric.get("name"), f"{prefix}Value": found.get("value") or "0"}
    return _some(out | {"selector": metric.get("selector"), "averageValue": found.get("averageValue")})


def _new_source(kind: str, source: Obj, values: str, prefix: str) -> Obj:
    """The way back. The type of a target is told by what is set."""
    average = "averageValue" if kind == "Object" else f"{prefix}AverageValue"
    value = source.get(f"{prefix}Value")
    if kind == "Object" and source.get(average) is not None:
        value = None
    found = _some(
        {
            "value": value,
            "averageValue": source.get(average),
            "averageUtilization": source.get(f"{prefix}AverageUtilization"),
        }
    )
    if values == "target":
        by_key = {"averageUtilization": "Utilization", "averageValue": "AverageValue", "value": "Value"}
        found["type"] = next((name for key, name in by_key.items() if key in found), "Value")
    out = {key: source.get(key) for key in ("name", "container")} | {values: found}
    if kind not in ("Resource", "ContainerResource"):
        selector = source.get("metricSelector") if kind == "External" else source.get("selector")
        out = {values: found, "metric": _some({"name": source.get("metricName"), "selector": selector})}
    if kind == "Object":
        out["describedObject"] = source.get("target")
    return _some(out)


def _converted(metrics: list[Obj], values: str, prefix: str, *, old: bool) -> list[Obj]:
    convert = _old_source if old else _new_source
    out = []
    for metric in metrics:
        kind = r.text(metric, "type")
        source = SOURCES.get(kind, "")
        body = {source: convert(kind, r.mapping(metric, source), values, prefix)} if r.has(metric, source) else {}
        out.append({"type": kind, **body})
    return out


def _utilization(metrics: list[Obj], values: str) -> int | None:
    """Where the CPU's metric says it: the one that v1 has a field for."""
    for metric in metrics:
        source = r.mapping(metric, "resource")
        if r.text(metric, "type") == "Resource" and r.text(source, "name") == "cpu":
            return r.number(r.mapping(source, values), "averageUtilization")
    return None


def _others(metrics: list[Obj], values: str) -> list[Obj]:
    """What v1 has no field for: all but the first utilization of the CPU."""
    for index, metric in enumerate(metrics):
        if _utilization([metric], values) is not None:
            return metrics[:index] + metrics[index + 1 :]
    return metrics


def _noted(annotations: dict[str, str], key: str) -> Any:
    try:
        return json.loads(annotations.get(key, "null"))
    except ValueError:
        return None


def _listed(value: Any) -> list[Obj]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _go_behavior(behavior: Obj) -> Obj:
    """The annotation holds the internal struct, whose fields have Go's names and are all written."""
    fields = ("stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance")
    return {
        name[0].upper() + name[1:]: {key[0].upper() + key[1:]: _go_names(rules.get(key)) for key in fields}
        for name in ("scaleUp", "scaleDown")
        if (rules := r.mapping(behavior, name))
    }


def _go_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: _go_names(item) for key, item in value.items()}
    return [_go_names(item) for item in value] if isinstance(value, list) else value


def _json_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _json_names(item) for key, item in value.items() if item is not None}
    return [_json_names(item) for item in value] if isinstance(value, list) else value


def from_stored(obj: Obj) -> Obj:
    spec, status = r.mapping(obj, "spec"), r.mapping(obj, "status")
    metrics, current = r.objects(spec, "metrics"), r.objects(status, "currentMetrics")
    notes: dict[str, Any] = {
        _METRICS: _converted(_others(metrics, "target"), "target", "target", old=True),
        _CURRENT: _converted(_others(current, "current"), "current", "current", old=True),
        _CONDITIONS: r.objects(status, "conditions"),
        _BEHAVIOR: _go_behavior(r.mapping(spec, "behavior")),
    }  # fmt: skip
    meta = dict(r.mapping(obj, "metadata"))
    written = {key: json.dumps(value, separators=(",", ":")) for key, value in notes.items() if value}
    if written:
        meta["annotations"] = {**r.mapping(meta, "annotations"), **written}
    kept: Obj = {key: status[key] for key in _SAME_STATUS if key in status}
    if (cpu := _utilization(current, "current")) is not None:
        kept["currentCPUUtilizationPercentage"] = cpu
    out_spec: Obj = {key: spec[key] for key in ("scaleTargetRef", "minReplicas", "maxReplicas") if key in spec}
    if (cpu := _utilization(metrics, "target")) is not None:
        out_spec["targetCPUUtilizationPercentage"] = cpu
    kept = {"currentReplicas": 0, "desiredReplicas": 0} | kept
    return {"kind": RESOURCE.kind, "apiVersion": RESOURCE.api_version, "metadata": meta, "spec": out_spec,
            "status": kept}  # fmt: skip


def to_stored(obj: Obj) -> Obj:
    spec, status, meta = r.mapping(obj, "spec"), r.mapping(obj, "status"), dict(r.mapping(obj, "metadata"))
    annotations = r.string_map(meta, "annotations")
    metrics = _converted(_listed(_noted(annotations, _METRICS)), "target", "target", old=False)
    if (cpu := r.number(spec, "targetCPUUtilizationPercentage")) is not None:
        metrics.insert(0, v2.cpu_metric(cpu))
    current = _converted(_listed(_noted(annotations, _CURRENT)), "current", "current", old=False)
    if (cpu := r.number(status, "currentCPUUtilizationPercentage")) is not None:
        used = {"name": "cpu", "current": {"averageUtilization": cpu}}
        current.insert(0, {"type": "Resource", "resource": used})
    out_spec: Obj = {key: spec[key] for key in ("scaleTargetRef", "minReplicas", "maxReplicas") if key in spec}
    if metrics:
        out_spec["metrics"] = metrics
    if isinstance(behavior := _json_names(_noted(annotations, _BEHAVIOR)), dict):
        out_spec["behavior"] = behavior
    out_status: Obj = {key: status[key] for key in _SAME_STATUS if key in status} | {"currentMetrics": current or None}
    if conditions := _listed(_noted(annotations, _CONDITIONS)):
        out_status["conditions"] = conditions
    kept = {key: value for key, value in annotations.items() if key not in (_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR)}
    meta.pop("annotations", None)
    if kept:
        meta["annotations"] = kept
    stored = v2.RESOURCE
    return {"kind": stored.kind, "apiVersion": stored.api_version, "metadata": meta, "spec": out_spec,
            "status": out_status}  # fmt: skip


KIND = Kind(
    RESOURCE,
    v2.COLUMNS,
    has_status=True,
    conversion=Conversion(("autoscaling", "v2"), to_stored, from_stored),
)
