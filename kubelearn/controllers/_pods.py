"""What controllers ask of a pod: is it active, ready, available, and which one to delete first.

Source: Kubernetes' pkg/api/v1/pod and pkg/controller/controller_utils.go.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kit import clock

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def phase(pod: Obj) -> str:
    return str(pod.get("status", {}).get("phase", ""))


def finished(pod: Obj) -> bool:
    return phase(pod) in ("Succeeded", "Failed")


def terminating(pod: Obj) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def active(pod: Obj) -> bool:
    """Counts towards replicas: neither ended nor on its way out."""
    return not finished(pod) and not terminating(pod)


def condition(obj: Obj, type_: str) -> Mapping[str, Any] | None:
    conditions: list[dict[str, Any]] = obj.get("status", {}).get("conditions") or []
    return next((c for c in conditions if c["type"] == type_), None)


def ready(pod: Obj) -> bool:
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def available_in(pod: Obj, min_ready_seconds: int, now: datetime) -> float | None:
    """Seconds until the pod has been ready long enough; 0 when it has; None when it is not ready."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True":
        return None
    if not min_ready_seconds:
        return 0.0
    since = found.get("lastTransitionTime")
    if not since:
        return None
    return max(0.0, min_ready_seconds - (now - clock.parse(since)).total_seconds())


def _cost(pod: Obj) -> int:
    text = (pod["metadata"].get("annotations") or {}).get(DELETION_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0


def _restarts(pod: Obj) -> int:
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return max((s.get("restartCount", 0) for s in statuses), default=0)


def _age_bucket(since: str | None, now: datetime) -> int:
    """Ages are compared by order of magnitude, so that not always the youngest goes."""
    if not since:
        return -1
    seconds = (now - clock.parse(since)).total_seconds()
    return int(math.log2(seconds)) if seconds >= 1 else 0


def deletion_order(pods: Iterable[Obj], neighbours: Sequence[Obj], now: datetime) -> list[Obj]:
    """First the pod that is missed least: unassigned, pending, not ready, cheap, on a crowded node, young.
    `neighbours` are all pods that do the same work: they make a node crowded."""
    crowd = Counter(p["spec"].get("nodeName", "") for p in neighbours if active(p))

    def rank(pod: Obj) -> tuple[Any, ...]:
        found = condition(pod, "Ready")
        is_ready = found is not None and found["status"] == "True"
        node = pod["spec"].get("nodeName", "")
        return (
            bool(node),
            {"Pending": 0, "Unknown": 1, "Running": 2}.get(phase(pod), 0),
            is_ready,
            _cost(pod),
            -crowd[node],
            _age_bucket(found.get("lastTransitionTime") if is_ready and found else None, now),
            -_restarts(pod),
            _age_bucket(pod["metadata"].get("creationTimestamp"), now),
            pod["metadata"].get("uid", ""),
        )

    return sorted(pods, key=rank)
