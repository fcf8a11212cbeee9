"""Taints that say how a node is, and how long a pod puts up with them. Pure.

Source: Kubernetes' pkg/controller/nodelifecycle and pkg/controller/tainteviction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from kubelearn.api import placement
from kubelearn.api.resource import Obj
from kubelearn.kit import clock

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"

#: (condition, status) -> key of the NoSchedule taint that it brings
_BY_CONDITION = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
_OURS = {*_BY_CONDITION.values(), UNSCHEDULABLE}


def wanted(node: Obj, now: str) -> list[Obj]:
    """The node's taints as its conditions ask for; those of others stay, and ours keep the time they were added."""
    current: list[dict[str, Any]] = node["spec"].get("taints") or []
    asked: list[tuple[str, str]] = []
    for condition in node.get("status", {}).get("conditions") or []:
        key = _BY_CONDITION.get((condition["type"], condition["status"]))
        if key is not None:
            asked.append((key, "NoSchedule"))
        if key in (NOT_READY, UNREACHABLE):
            asked.append((key, "NoExecute"))
    if node["spec"].get("unschedulable"):
        asked.append((UNSCHEDULABLE, "NoSchedule"))
    kept = [t for t in current if not _ours(t) or (t["key"], t["effect"]) in asked]
    have = {(t["key"], t["effect"]) for t in kept}
    return kept + [{"key": k, "effect": e, "timeAdded": now} for k, e in asked if (k, e) not in have]


def _ours(taint: Obj) -> bool:
    managed = {"NoSchedule", "NoExecute"} if taint["key"] in (NOT_READY, UNREACHABLE) else {"NoSchedule"}
    return taint["key"] in _OURS and taint["effect"] in managed


def no_execute(node: Obj | None) -> list[Obj]:
    taints: list[Obj] = node["spec"].get("taints") or [] if node else []
    return [t for t in taints if t["effect"] == "NoExecute"]


def evict_at(pod: Obj, taints: list[Obj], now: datetime) -> datetime | None:
    """When the pod has to leave: `now` if a taint is not tolerated at all, None if all are for ever."""
    tolerations = pod["spec"].get("tolerations") or []
    times: list[datetime] = []
    for taint in taints:
        matching = [t for t in tolerations if placement.tolerates(t, taint)]
        if not matching:
            return now
        limits = [t["tolerationSeconds"] for t in matching if t.get("tolerationSeconds") is not None]
        if limits:
            since = clock.parse(taint["timeAdded"]) if taint.get("timeAdded") else now
            times.append(since + timedelta(seconds=max(min(limits), 0)))
    return min(times) if times else None
