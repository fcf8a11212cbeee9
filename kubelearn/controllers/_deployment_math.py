"""The arithmetic of a rolling update: how many pods too many, how many too few, who gets which share. Pure.

Source: Kubernetes' pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

from kubelearn.api.resource import Obj

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


def replicas(obj: Obj) -> int:
    value = obj["spec"].get("replicas")
    return 1 if value is None else int(value)


def total(sets: Iterable[Obj | None]) -> int:
    return sum(replicas(rs) for rs in sets if rs is not None)


def status_total(sets: Iterable[Obj | None], field: str) -> int:
    return sum(rs.get("status", {}).get(field) or 0 for rs in sets if rs is not None)


def rolling(deployment: Obj) -> bool:
    return bool((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def scaled(value: int | str, of: int, up: bool) -> int:
    """An absolute number, or a percentage of `of`, rounded up for a surge and down for what may be missing."""
    if isinstance(value, int):
        return value
    share = Fraction(int(value.removesuffix("%")) * of, 100)
    return math.ceil(share) if up else math.floor(share)


def limits(deployment: Obj) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) as numbers of pods; both zero would stand still, so then one may be missing."""
    if not rolling(deployment):
        return 0, 0
    wanted = replicas(deployment)
    spec = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = scaled(spec.get("maxSurge", "25%"), wanted, True)
    unavailable = scaled(spec.get("maxUnavailable", "25%"), wanted, False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, wanted)


def new_replicas(deployment: Obj, every: Sequence[Obj], new: Obj) -> int:
    """How large the new ReplicaSet may be now."""
    wanted = replicas(deployment)
    if not rolling(deployment):
        return wanted
    now, most = total(every), wanted + limits(deployment)[0]
    if now >= most:
        return replicas(new)
    return replicas(new) + min(most - now, wanted - replicas(new))


def shares(deployment: Obj, active: Sequence[Obj]) -> list[int]:
    """New sizes of `active` ReplicaSets, in their order, when a deployment is scaled in mid-rollout: in proportion
    to their size, the first taking what rounding leaves over."""
    wanted = replicas(deployment)
    allowed = wanted + limits(deployment)[0] if wanted > 0 else 0
    to_add = allowed - total(active)
    sizes, added = [], 0
    for rs in active:
        share = _proportion(deployment, rs, to_add, added) if to_add else 0
        sizes.append(replicas(rs) + share)
        added += share
    if sizes and to_add:
        sizes[0] = max(0, sizes[0] + to_add - added)
    return sizes


def _proportion(deployment: Obj, rs: Obj, to_add: int, added: int) -> int:
    if replicas(rs) == 0 or to_add == added:
        return 0
    fraction, allowed = _fraction(deployment, rs), to_add - added
    return min(fraction, allowed) if to_add > 0 else max(fraction, allowed)


def _fraction(deployment: Obj, rs: Obj) -> int:
    wanted = replicas(deployment)
    if wanted == 0:
        return -replicas(rs)
    annotated = int((rs["metadata"].get("annotations") or {}).get(MAXIMUM) or 0)
    before = annotated or deployment.get("status", {}).get("replicas") or wanted
    size = Fraction(replicas(rs) * (wanted + limits(deployment)[0]), before)
    return math.floor(size + Fraction(1, 2)) - replicas(rs)
