"""How many replicas a HorizontalPodAutoscaler asks for. Pure. Amounts are in thousandths, as MilliValue gives them.

Source: Kubernetes' documentation of the algorithm, and pkg/controller/podautoscaler (replica_calculator.go, horizontal.go).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.controllers import _pods
from kubelearn.kit import clock

TOLERANCE = 0.1
#: CPU is not believed while a pod starts.
_CPU_START, _READINESS_DELAY = timedelta(minutes=5), timedelta(seconds=30)
_STABLE_DOWN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Metric:
    """What one pod uses, of when, averaged over which time."""

    value: int
    at: datetime
    window: timedelta


@dataclass(slots=True)
class Groups:
    """Names of pods: those that count, those that are not ready, and those without a metric."""

    ready: set[str] = field(default_factory=set)
    unready: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)


def group(pods: Iterable[Obj], metrics: Mapping[str, Metric], resource: str, now: datetime) -> Groups:
    """Pods that end are nobody's business."""
    out = Groups()
    for pod in pods:
        name = pod["metadata"]["name"]
        if _pods.terminating(pod) or _pods.phase(pod) == "Failed":
            continue
        if _pods.phase(pod) == "Pending":
            out.unready.add(name)
        elif name not in metrics:
            out.missing.add(name)
        elif resource == "cpu" and _starts(pod, metrics[name], now):
            out.unready.add(name)
        else:
            out.ready.add(name)
    return out


def _starts(pod: Obj, metric: Metric, now: datetime) -> bool:
    condition, started = _pods.condition(pod, "Ready"), (pod.get("status") or {}).get("startTime")
    if condition is None or not started:
        return True
    since, begun = clock.parse(condition["lastTransitionTime"]), clock.parse(started)
    if begun + _CPU_START > now:
        return condition["status"] == "False" or metric.at < since + metric.window
    return condition["status"] == "False" and begun + _READINESS_DELAY > since


@dataclass(frozen=True, slots=True)
class Target:
    """`utilization` in percent of what each pod requests, or an average `value` a pod."""

    utilization: int = 0
    value: int = 0
    requests: Mapping[str, int] = field(default_factory=dict)

    def ratio(self, metrics: Mapping[str, int]) -> float:
        used = sum(metrics.values())
        if self.value:
            return used / len(metrics) / self.value
        requested = sum(self.requests.get(name, 0) for name in metrics)
        return (used * 100 // requested) / self.utilization

    def assumed(self, name: str) -> int:
        """What a pod without a metric is taken to use when that is what holds back: all it asks for, and its target."""
        return self.value or self.requests.get(name, 0) * max(100, self.utilization) // 100


def replicas(current: int, groups: Groups, metrics: Mapping[str, int], target: Target) -> int:
    """`metrics` of the ready pods, of which there is one at least."""
    ratio = target.ratio(metrics)
    careful = bool(groups.unready) and ratio > 1
    if not careful and not groups.missing:
        return current if _near(ratio) else math.ceil(ratio * len(groups.ready))
    assumed = dict(metrics)
    if ratio < 1:
        assumed |= {name: target.assumed(name) for name in groups.missing}
    elif ratio > 1:
        assumed |= dict.fromkeys(groups.missing, 0)
    if careful:
        assumed |= dict.fromkeys(groups.unready, 0)
    again = target.ratio(assumed)
    if _near(again) or (ratio < 1 < again) or (again < 1 < ratio):
        return current
    wanted = math.ceil(again * len(assumed))
    return current if (again < 1 and wanted > current) or (again > 1 and wanted < current) else wanted


def _near(ratio: float) -> bool:
    return abs(1 - ratio) <= TOLERANCE


# ---- how fast


@dataclass(slots=True)
class Memory:
    """What was recommended and done lately: (time, replicas) and (time, change)."""

    recommended: list[tuple[datetime, int]] = field(default_factory=list)
    changes: list[tuple[datetime, int]] = field(default_factory=list)

    def changed(self, since: datetime) -> int:
        return sum(change for at, change in self.changes if at > since)

    def forget(self, before: datetime) -> None:
        self.recommended = [item for item in self.recommended if item[0] > before]
        self.changes = [item for item in self.changes if item[0] > before]


@dataclass(frozen=True, slots=True)
class Paced:
    """`able` and `limited` are reasons and messages of the conditions AbleToScale and ScalingLimited."""

    replicas: int
    able: tuple[str, str]
    limited: tuple[str, str, str]


_READY = ("ReadyForNewScale", "recommended size matches current size")
_WITHIN = ("False", "DesiredWithinRange", "the desired count is within the acceptable range")
_LATELY = "recent recommendations were {} than current one, applying the {} recent recommendation"


def paced(spec: Obj, current: int, wanted: int, memory: Memory, now: datetime) -> Paced:
    """What may be done at once of what is wanted."""
    behavior = spec.get("behavior") or {}
    up, down = behavior.get("scaleUp"), behavior.get("scaleDown")
    memory.recommended.append((now, wanted))
    stable = _stabilized(current, wanted, memory, now, _window(up, timedelta()), _window(down, _STABLE_DOWN))
    able = _READY
    if stable < wanted:
        able = ("ScaleUpStabilized", _LATELY.format("lower", "lowest"))
    elif stable > wanted:
        able = ("ScaleDownStabilized", _LATELY.format("higher", "highest"))
    least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
    fast_up, fast_down = _fastest_up(up, current, memory, now), _fastest_down(down, current, memory, now)
    if stable > min(most, fast_up) and stable > current:
        return Paced(max(current, min(most, fast_up)), able, _too_many(most <= fast_up))
    if stable < max(least, fast_down) and stable < current:
        return Paced(min(current, max(least, fast_down)), able, _too_few(least >= fast_down))
    if stable > most or stable < least:
        return Paced(min(max(stable, least), most), able, _too_many(True) if stable > most else _too_few(True))
    return Paced(stable, able, _WITHIN)


def _too_many(bound: bool) -> tuple[str, str, str]:
    if bound:
        return "True", "TooManyReplicas", "the desired replica count is more than the maximum replica count"
    return "True", "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"


def _too_few(bound: bool) -> tuple[str, str, str]:
    if bound:
        return "True", "TooFewReplicas", "the desired replica count is less than the minimum replica count"
    return "True", "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"


def _window(rules: Obj | None, default: timedelta) -> timedelta:
    seconds = (rules or {}).get("stabilizationWindowSeconds")
    return default if seconds is None else timedelta(seconds=seconds)


def _stabilized(
    current: int, wanted: int, memory: Memory, now: datetime, up: timedelta, down: timedelta
) -> int:  # fmt: skip
    """Up to the lowest, down to the highest of what was recommended within the windows."""
    lowest = min([wanted, *(n for at, n in memory.recommended if at > now - up)])
    highest = max([wanted, *(n for at, n in memory.recommended if at > now - down)])
    return min(max(current, lowest), highest)


def _proposals(rules: Obj, current: int, memory: Memory, now: datetime, sign: int) -> list[int]:
    out = []
    for policy in rules.get("policies") or ():
        start = current - memory.changed(now - timedelta(seconds=policy["periodSeconds"]))
        if policy["type"] == "Pods":
            out.append(start + sign * policy["value"])
        else:
            share: Any = start * (1 + sign * policy["value"] / 100)
            out.append(math.ceil(share) if sign > 0 else int(share))
    return out


def _fastest_up(rules: Obj | None, current: int, memory: Memory, now: datetime) -> int:
    if rules is None:
        return max(2 * current, 4)
    if rules.get("selectPolicy") == "Disabled":
        return current
    choose = min if rules.get("selectPolicy") == "Min" else max
    return choose(_proposals(rules, current, memory, now, 1), default=current)


def _fastest_down(rules: Obj | None, current: int, memory: Memory, now: datetime) -> int:
    if rules is None:
        return 0
    if rules.get("selectPolicy") == "Disabled":
        return current
    choose = max if rules.get("selectPolicy") == "Min" else min
    return choose(_proposals(rules, current, memory, now, -1), default=current)
