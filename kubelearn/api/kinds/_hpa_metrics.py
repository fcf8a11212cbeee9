"""The metrics of a HorizontalPodAutoscaler (autoscaling/v2): their validation, and how a table words them."""

from __future__ import annotations

from kubelearn.api import names, quantity
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, all_invalid, forbidden, invalid, required, unsupported
from kubelearn.api.kinds._podspec_defaults import canonical_quantity
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.resource import Obj

#: The types, and the field that each uses.
SOURCES = {
    "ContainerResource": "containerResource", "External": "external", "Object": "object", "Pods": "pods",
    "Resource": "resource",
}  # fmt: skip
_ORDER = ("object", "external", "pods", "resource", "containerResource")
_TARGET_TYPES = ("Utilization", "Value", "AverageValue")
_MAX_SHOWN = 2
UNKNOWN = "<unknown>"


def canonical_metric(metric: Obj) -> None:
    for source in SOURCES.values():
        target = r.mapping(metric, source, "target")
        for key in ("value", "averageValue"):
            canonical_quantity(target, key)


def _is_positive(target: Obj, key: str) -> bool:
    try:
        return target.get(key) is not None and quantity.parse(str(target[key])) > 0
    except ValueError:
        return False


def _target(path: str, target: Obj) -> Errors:
    kind = r.text(target, "type")
    out: Errors = []
    if not kind:
        out.append(required(f"{path}.type", "must specify a metric target type"))
    if kind not in _TARGET_TYPES:
        text = "must be either Utilization, Value, or AverageValue"
        out.append(invalid(f"{path}.type", kind, text))
    for key in ("value", "averageValue"):
        if target.get(key) is not None and not _is_positive(target, key):
            out.append(invalid(f"{path}.{key}", str(target[key]), "must be positive"))
    utilization = r.number(target, "averageUtilization")
    if utilization is not None and utilization < 1:
        out.append(invalid(f"{path}.averageUtilization", utilization, "must be greater than 0"))
    return out


def _identifier(path: str, metric: Obj) -> Errors:
    name = r.text(metric, "name")
    out = all_invalid(f"{path}.name", name, names.path_segment(name)) if name else [
        required(f"{path}.name", "must specify a metric name")
    ]  # fmt: skip
    return out + label_selector(f"{path}.selector", r.mapping(metric, "selector"))


def _object(path: str, source: Obj) -> Errors:
    described, target = r.mapping(source, "describedObject"), r.mapping(source, "target")
    out: Errors = []
    for key in ("kind", "name"):
        where, value = f"{path}.describedObject.{key}", r.text(described, key)
        out += all_invalid(where, value, names.path_segment(value)) if value else [required(where)]
    out += _identifier(f"{path}.metric", r.mapping(source, "metric")) + _target(f"{path}.target", target)
    if target.get("value") is None and target.get("averageValue") is None:
        out.append(required(f"{path}.target.averageValue", "must set either a target value or averageValue"))
    return out


def _external(path: str, source: Obj) -> Errors:
    target = r.mapping(source, "target")
    out = _identifier(f"{path}.metric", r.mapping(source, "metric")) + _target(f"{path}.target", target)
    given = [key for key in ("value", "averageValue") if target.get(key) is not None]
    if not given:
        text = "must set either a target value for metric or a per-pod target"
        out.append(required(f"{path}.target.averageValue", text))
    elif len(given) == 2:
        text = "may not set both a target value for metric and a per-pod target"
        out.append(forbidden(f"{path}.target.value", text))
    return out


def _pods(path: str, source: Obj) -> Errors:
    target = r.mapping(source, "target")
    out = _identifier(f"{path}.metric", r.mapping(source, "metric")) + _target(f"{path}.target", target)
    if not _is_positive(target, "averageValue"):
        out.append(required(f"{path}.target.averageValue", "must specify a positive target averageValue"))
    return out


def _resource(path: str, source: Obj) -> Errors:
    target = r.mapping(source, "target")
    out: Errors = [] if r.text(source, "name") else [required(f"{path}.name", "must specify a resource name")]
    out += _target(f"{path}.target", target)
    given = [key for key in ("averageUtilization", "averageValue") if target.get(key) is not None]
    if not given:
        text = "must set either a target raw value or a target utilization"
        out.append(required(f"{path}.target.averageUtilization", text))
    elif len(given) == 2:
        text = "may not set both a target raw value and a target utilization"
        out.append(forbidden(f"{path}.target.averageValue", text))
    return out


def _container_resource(path: str, source: Obj) -> Errors:
    out: Errors = [] if r.text(source, "container") else [required(f"{path}.container", "must specify a container")]
    return out + _resource(path, source)


_CHECKS = {
    "object": _object, "external": _external, "pods": _pods, "resource": _resource,
    "containerResource": _container_resource,
}  # fmt: skip


def validate_metrics(path: str, metrics: list[Obj]) -> Errors:
    out: Errors = []
    for index, metric in enumerate(metrics):
        where, kind = f"{path}[{index}]", r.text(metric, "type")
        if not kind:
            out.append(required(f"{where}.type", "must specify a metric source type"))
        if kind not in SOURCES:
            out.append(unsupported(f"{where}.type", kind, SOURCES))
        present = [source for source in _ORDER if r.has(metric, source)]
        if present:
            out += _CHECKS[present[0]](f"{where}.{present[0]}", r.mapping(metric, present[0]))
        expected = SOURCES.get(kind, kind.lower())
        if expected not in present:
            text = "must populate information for the given metric source"
            out.append(required(f"{where}.{expected}", text))
        others = [source for source in present if source != expected]
        if len(present) != 1:
            text = "must populate the given metric source only"
            out += [forbidden(f"{where}.{source}", text) for source in others]
    return out


def targets(metrics: list[Obj], current: list[Obj]) -> str:
    """`cpu: 12%/80%`, of the first two."""
    if not metrics:
        return "<none>"
    shown = [_shown(metric, current[i] if i < len(current) else {}) for i, metric in enumerate(metrics[:_MAX_SHOWN])]
    more = len(metrics) - _MAX_SHOWN
    return ", ".join(shown) + (f" + {more} more..." if more > 0 else "")


def _shown(metric: Obj, status: Obj) -> str:
    kind = r.text(metric, "type")
    source = SOURCES.get(kind, "")
    if not source:
        return "<unknown type>"
    target, now = r.mapping(metric, source, "target"), r.mapping(status, source, "current")
    prefix = f"{r.text(r.mapping(metric, source), 'name')}: " if kind in ("Resource", "ContainerResource") else ""
    if prefix and target.get("averageValue") is None:
        found = r.number(now, "averageUtilization")
        wanted = r.number(target, "averageUtilization")
        return f"{prefix}{UNKNOWN if found is None else f'{found}%'}/{'<auto>' if wanted is None else f'{wanted}%'}"
    average = target.get("averageValue") is not None
    key = "averageValue" if average else "value"
    suffix = " (avg)" if average and kind in ("External", "Object") else ""
    return f"{prefix}{now.get(key) or UNKNOWN}/{target.get(key)}{suffix}"
