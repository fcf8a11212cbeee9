"""A deployment's status: counts, and the conditions Available, Progressing and ReplicaFailure in Kubernetes' words.

Source: Kubernetes' pkg/controller/deployment/progress.go and sync.go.
"""

from __future__ import annotations

import copy
from datetime import timedelta

from kubelearn.api import meta
from kubelearn.api.resource import Obj
from kubelearn.controllers import _conditions
from kubelearn.controllers import _deployment_math as math
from kubelearn.controllers._deployment_sets import Rollout, has_deadline, revision, write
from kubelearn.kit import clock

_COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")


def calculate(rollout: Rollout) -> Obj:
    """The status that the ReplicaSets now give, with the conditions as they were but for Available."""
    deployment, sets = rollout.deployment, rollout.every
    old = deployment.get("status") or {}
    available = math.status_total(sets, "availableReplicas")
    counts = {
        "replicas": math.status_total(sets, "replicas"),
        "updatedReplicas": math.status_total([rollout.new], "replicas"),
        "readyReplicas": math.status_total(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(math.total(sets) - available, 0),
    }
    status: Obj = {"observedGeneration": deployment["metadata"].get("generation", 0)}
    status |= {name: count for name, count in counts.items() if count}
    status["terminatingReplicas"] = math.status_total(sets, "terminatingReplicas")
    if "collisionCount" in old:
        status["collisionCount"] = old["collisionCount"]
    status["conditions"] = copy.deepcopy(old.get("conditions") or [])
    if available >= math.replicas(deployment) - math.limits(deployment)[1]:
        told = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        told = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    now = rollout.context.timestamp()
    _conditions.put(status, _conditions.make("Available", *told, now, updated=True))
    return status


def complete(deployment: Obj, status: Obj) -> bool:
    wanted = math.replicas(deployment)
    counts = (status.get(f, 0) for f in ("updatedReplicas", "replicas", "availableReplicas"))
    generation = deployment["metadata"].get("generation", 0)
    return all(count == wanted for count in counts) and status.get("observedGeneration", 0) >= generation


def _progressed(old: Obj, new: Obj) -> bool:
    def count(status: Obj, field: str) -> int:
        return int(status.get(field) or 0)

    def olds(status: Obj) -> int:
        return count(status, "replicas") - count(status, "updatedReplicas")

    grew = any(count(new, f) > count(old, f) for f in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return grew or olds(new) < olds(old)


def _timed_out(rollout: Rollout, status: Obj) -> bool:
    found = _conditions.get(status, "Progressing")
    if found is None or found["reason"] == "NewReplicaSetAvailable":
        return False
    if found["reason"] == "ProgressDeadlineExceeded":
        return True
    deadline = timedelta(seconds=rollout.deployment["spec"]["progressDeadlineSeconds"])
    return rollout.context.now() > clock.parse(found["lastUpdateTime"]) + deadline


async def sync_rollout(rollout: Rollout) -> None:
    """Write the status of a deployment that rolls out, and come back when its deadline will have passed."""
    status = calculate(rollout)
    if not has_deadline(rollout.deployment):
        _conditions.remove(status, "Progressing")
    else:
        _judge_progress(rollout, status)
    failures = [c for rs in rollout.every if (c := _conditions.get(rs.get("status") or {}, "ReplicaFailure"))]
    if failures:
        now = rollout.context.timestamp()
        first = failures[-1] if rollout.new and failures[-1] in _own(rollout.new) else failures[0]
        told = ("ReplicaFailure", first["status"], first["reason"], first.get("message", ""), now)
        _conditions.put(status, _conditions.make(*told, updated=True))
    else:
        _conditions.remove(status, "ReplicaFailure")
    if _same(status, rollout.deployment.get("status") or {}):
        _come_back(rollout, status)
        return
    await write(rollout, status, revision(rollout.deployment))
    _come_back(rollout, status)


def _own(rs: Obj) -> list[Obj]:
    return rs.get("status", {}).get("conditions") or []


def _judge_progress(rollout: Rollout, status: Obj) -> None:
    deployment, old = rollout.deployment, rollout.deployment.get("status") or {}
    current = _conditions.get(old, "Progressing")
    all_updated = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if all_updated and current is not None and current["reason"] == "NewReplicaSetAvailable":
        return
    name = rollout.new["metadata"]["name"] if rollout.new else deployment["metadata"]["name"]
    subject = f'{"ReplicaSet" if rollout.new else "Deployment"} "{name}"'
    now = rollout.context.timestamp()

    def told(value: str, reason: str, text: str) -> Obj:
        message = f"{subject} {text}"
        return _conditions.make("Progressing", value, reason, message, now, updated=True)

    if complete(deployment, status):
        done = told("True", "NewReplicaSetAvailable", "has successfully progressed.")
        _conditions.put(status, done)
    elif _progressed(old, status):
        going = told("True", "ReplicaSetUpdated", "is progressing.")
        if current is not None and current["status"] == "True":
            going["lastTransitionTime"] = current["lastTransitionTime"]
        _conditions.remove(status, "Progressing")
        _conditions.put(status, going)
    elif _timed_out(rollout, status):
        _conditions.put(status, told("False", "ProgressDeadlineExceeded", "has timed out progressing."))


def _same(a: Obj, b: Obj) -> bool:
    def plain(status: Obj) -> Obj:
        return {k: v for k, v in status.items() if v not in (0, [], None)}

    return plain(a) == plain(b)


def _come_back(rollout: Rollout, status: Obj) -> None:
    found = _conditions.get(status, "Progressing")
    if not has_deadline(rollout.deployment) or found is None or complete(rollout.deployment, status):
        return
    if found["reason"] in ("ProgressDeadlineExceeded", "NewReplicaSetAvailable"):
        return
    deadline = timedelta(seconds=rollout.deployment["spec"]["progressDeadlineSeconds"])
    left = clock.parse(found["lastUpdateTime"]) + deadline - rollout.context.now()
    rollout.context.requeue_after(meta.key(rollout.deployment), max(left.total_seconds(), 0) + 1)


async def sync_plain(rollout: Rollout) -> None:
    """Write the status of a deployment that is paused, scaled or deleted: progress is not judged."""
    status = calculate(rollout)
    if not _same(status, rollout.deployment.get("status") or {}):
        await write(rollout, status, revision(rollout.deployment))


async def sync_paused(rollout: Rollout) -> None:
    """Say in Progressing that the rollout was paused or resumed, so that its deadline starts anew."""
    deployment = rollout.deployment
    if not has_deadline(deployment):
        return
    status = copy.deepcopy(deployment.get("status") or {})
    found = _conditions.get(status, "Progressing")
    if found is not None and found["reason"] == "ProgressDeadlineExceeded":
        return
    paused, was = (
        bool(deployment["spec"].get("paused")),
        found is not None and found["reason"] == "DeploymentPaused",
    )
    if paused == was:
        return
    told = ("DeploymentPaused", "Deployment is paused") if paused else ("DeploymentResumed", "Deployment is resumed")
    now = rollout.context.timestamp()
    _conditions.put(status, _conditions.make("Progressing", "Unknown", *told, now, updated=True))
    await write(rollout, status, revision(deployment))
