"""The ways from the old ReplicaSets to the new one: rolling update and recreate, and scaling in between.

Source: Kubernetes' pkg/controller/deployment/rolling.go, recreate.go and sync.go.
"""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.controllers import _deployment_math as math
from kubelearn.controllers import _deployment_sets as sets
from kubelearn.controllers import _deployment_status as status
from kubelearn.controllers import _pods
from kubelearn.controllers._deployment_sets import Rollout
from kubelearn.controllers.base import PODS, REPLICASETS


async def roll(rollout: Rollout) -> None:
    """One step of a rolling update: up, or down, never below what must be available nor above the surge."""
    await sets.sync_new(rollout, create=True)
    if rollout.new is None:
        return
    if not await _grow(rollout, rollout.new) and not await _shrink(rollout, rollout.new):
        await _clean_up_when_complete(rollout)
    await status.sync_rollout(rollout)


async def _grow(rollout: Rollout, new: Obj) -> bool:
    wanted = math.replicas(rollout.deployment)
    if math.replicas(new) == wanted:
        return False
    if math.replicas(new) > wanted:
        return await sets.scale(rollout, new, wanted)
    return await sets.scale(rollout, new, math.new_replicas(rollout.deployment, rollout.every, new))


async def _shrink(rollout: Rollout, new: Obj) -> bool:
    old = sets.active(rollout.old)
    if not old:
        return False
    least = math.replicas(rollout.deployment) - math.limits(rollout.deployment)[1]
    missing = math.replicas(new) - math.status_total([new], "availableReplicas")
    most = math.total(rollout.every) - least - missing
    if most <= 0:
        return False
    unhealthy = await _drop_unhealthy(rollout, most)
    healthy = await _drop_healthy(rollout, least)
    return unhealthy + healthy > 0


async def _drop_unhealthy(rollout: Rollout, most: int) -> int:
    """Pods that are not available anyway go first: that costs nothing."""
    dropped = 0
    for rs in sets.active(rollout.old):
        if dropped >= most:
            break
        idle = math.replicas(rs) - math.status_total([rs], "availableReplicas")
        if idle <= 0:
            continue
        count = min(most - dropped, idle)
        await sets.scale(rollout, rs, math.replicas(rs) - count)
        dropped += count
    return dropped


async def _drop_healthy(rollout: Rollout, least: int) -> int:
    most = math.status_total(rollout.every, "availableReplicas") - least
    dropped = 0
    for rs in sets.active(rollout.old):
        if dropped >= most:
            break
        count = min(math.replicas(rs), most - dropped)
        await sets.scale(rollout, rs, math.replicas(rs) - count)
        dropped += count
    return dropped


async def recreate(rollout: Rollout) -> None:
    """All old pods go, and only when the last has ended the new ones come."""
    await sets.sync_new(rollout, create=False)
    old = sets.active(rollout.old)
    for rs in old:
        await sets.scale(rollout, rs, 0)
    if old or _old_pods_run(rollout):
        await status.sync_rollout(rollout)
        return
    await sets.sync_new(rollout, create=True)
    if rollout.new is not None:
        await sets.scale(rollout, rollout.new, math.replicas(rollout.deployment))
    await _clean_up_when_complete(rollout)
    await status.sync_rollout(rollout)


def _old_pods_run(rollout: Rollout) -> bool:
    if math.status_total(rollout.old, "replicas") > 0:
        return True
    pods = rollout.context.informer(PODS)
    owners = (rs["metadata"]["uid"] for rs in rollout.old)
    return any(not _pods.finished(pod) for uid in owners for pod in pods.by_index("controller", uid))


async def rescale(rollout: Rollout) -> None:
    """The deployment was scaled or is paused: sizes follow, the rollout does not go on."""
    await sets.sync_new(rollout, create=False)
    await _spread(rollout)
    if rollout.deployment["spec"].get("paused"):
        await clean_up(rollout)
    await status.sync_plain(rollout)


async def _spread(rollout: Rollout) -> None:
    wanted = math.replicas(rollout.deployment)
    single = _active_or_latest(rollout)
    if single is not None:
        if math.replicas(single) != wanted:
            await sets.scale(rollout, single, wanted)
        return
    if rollout.new is not None and _saturated(rollout, rollout.new):
        for rs in sets.active(rollout.old):
            await sets.scale(rollout, rs, 0)
        return
    if not math.rolling(rollout.deployment):
        return
    found = sets.active(rollout.every)
    allowed = wanted + math.limits(rollout.deployment)[0] if wanted else 0
    growing = allowed - math.total(found) > 0
    newest_first = sets.by_age(found)[::-1] if growing else sets.by_age(found)
    ordered = sorted(newest_first, key=math.replicas, reverse=True)
    for rs, size in zip(ordered, math.shares(rollout.deployment, ordered), strict=True):
        await sets.scale(rollout, rs, size)


def _active_or_latest(rollout: Rollout) -> Obj | None:
    found = sets.active(rollout.every)
    if len(found) > 1:
        return None
    if found:
        return found[0]
    return rollout.new or (rollout.old[-1] if rollout.old else None)


def _saturated(rollout: Rollout, new: Obj) -> bool:
    wanted = math.replicas(rollout.deployment)
    desired = sets.notes_of(new).get(math.DESIRED, "")
    available = math.status_total([new], "availableReplicas")
    return math.replicas(new) == wanted and desired == str(wanted) and available == wanted


def scaled(rollout: Rollout) -> bool:
    """An active ReplicaSet was last sized for another number of replicas than is wanted now."""
    wanted = str(math.replicas(rollout.deployment))
    marks = (sets.notes_of(rs).get(math.DESIRED) for rs in sets.active(rollout.every))
    return any(mark is not None and mark != wanted for mark in marks)


async def _clean_up_when_complete(rollout: Rollout) -> None:
    if status.complete(rollout.deployment, rollout.deployment.get("status") or {}):
        await clean_up(rollout)


async def clean_up(rollout: Rollout) -> None:
    """Delete the oldest empty ReplicaSets beyond revisionHistoryLimit."""
    limit = rollout.deployment["spec"].get("revisionHistoryLimit", 10)
    candidates = [rs for rs in rollout.old if "deletionTimestamp" not in rs["metadata"]]
    surplus = len(candidates) - limit
    for rs in sorted(candidates, key=sets.revision)[: max(surplus, 0)]:
        now = rs.get("status") or {}
        observed = now.get("observedGeneration", 0) >= rs["metadata"].get("generation", 0)
        if not now.get("replicas") and not math.replicas(rs) and observed:
            await rollout.context.delete(REPLICASETS, rs, {"propagationPolicy": "Background"})
