"""Autoscalers: what they measure, and what they want."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer

_UNKNOWN = "<unknown>"


async def write(out: Writer, found: Obj, _sources: Sources) -> None:
    spec, status = found.get("spec") or {}, found.get("status") or {}
    to = spec.get("scaleTargetRef") or {}
    w.head(out, found)
    out.field("CreationTimestamp", w.time(found["metadata"].get("creationTimestamp")))
    out.field("Reference", f"{to.get('kind', '')}/{to.get('name', '')}")
    out.line(0, "Metrics:\t( current / target )")
    measured = status.get("currentMetrics") or []
    for index, metric in enumerate(spec.get("metrics") or []):
        out.line(1, _metric(metric, measured[index] if index < len(measured) else {}))
    out.field("Min replicas", w.or_unset(spec.get("minReplicas")))
    out.field("Max replicas", spec.get("maxReplicas", 0))
    if behavior := spec.get("behavior"):
        out.line(0, "Behavior:")
        _direction(out, "Scale Up", behavior.get("scaleUp"))
        _direction(out, "Scale Down", behavior.get("scaleDown"))
    counts = f"{status.get('currentReplicas', 0)} current / {status.get('desiredReplicas', 0)} desired"
    out.field(f"{to.get('kind', '')} pods", counts)
    _conditions(out, status.get("conditions") or [])


def _metric(metric: Obj, measured: Obj) -> str:
    kind = metric.get("type", "")
    key = kind[:1].lower() + kind[1:]
    what = metric.get(key) or {}
    target, current = what.get("target") or {}, (measured.get(key) or {}).get("current") or {}
    if kind in ("Resource", "ContainerResource"):
        return _resource(kind, what, target, current)
    name = (what.get("metric") or {}).get("name", "")
    if kind == "Pods":
        return f'"{name}" on pods:\t{_value(current, "averageValue")} / {target.get("averageValue", "")}'
    average = "averageValue" in target
    field = "averageValue" if average else "value"
    amounts = f"{_value(current, field)} / {target.get(field, '')}"
    if kind == "Object":
        to = what.get("describedObject") or {}
        return f'"{name}" on {to.get("kind", "")}/{to.get("name", "")} (target {"average " if average else ""}value):\t{amounts}'
    if kind == "External":
        return f'"{name}" (target {"average " if average else ""}value):\t{amounts}'
    return f'<unknown metric type "{kind}">'


def _value(current: Obj, field: str) -> str:
    return str(current.get(field) or _UNKNOWN)


def _resource(kind: str, what: Obj, target: Obj, current: Obj) -> str:
    container = f'of container "{what.get("container", "")}" ' if kind == "ContainerResource" else ""
    title = f"resource {what.get('name', '')} {container}on pods"
    if "averageValue" in target:
        return f"{title}:\t{_value(current, 'averageValue')} / {target['averageValue']}"
    used = current.get("averageUtilization")
    shown = _UNKNOWN if used is None else f"{used}% ({current.get('averageValue', 0)})"
    wanted = target.get("averageUtilization")
    return f"{title}  (as a percentage of request):\t{shown} / {'<auto>' if wanted is None else f'{wanted}%'}"


def _direction(out: Writer, title: str, rules: Obj | None) -> None:
    if rules is None:
        return
    out.line(1, f"{title}:")
    if rules.get("stabilizationWindowSeconds") is not None:
        out.line(2, f"Stabilization Window: {rules['stabilizationWindowSeconds']} seconds")
    if policies := rules.get("policies"):
        out.line(2, f"Select Policy: {rules.get('selectPolicy') or 'Max'}")
        out.line(2, "Policies:")
        for p in policies:
            out.line(3, f"- Type: {p['type']}\tValue: {p['value']}\tPeriod: {p['periodSeconds']} seconds")


def _conditions(out: Writer, found: list[Obj]) -> None:
    if found:
        out.line(0, "Conditions:")
        out.line(1, "Type\tStatus\tReason\tMessage")
        out.line(1, "----\t------\t------\t-------")
    for c in found:
        out.line(1, f"{c['type']}\t{c['status']}\t{c.get('reason', '')}\t{c.get('message', '')}")


DESCRIBER = Describer(write)
