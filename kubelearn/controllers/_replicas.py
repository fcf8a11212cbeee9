"""As many pods as asked for, made in growing batches, removed least-missed first: ReplicaSet and ReplicationController.

Pods that terminate count as gone, so that their replacements come up at once, on another node if theirs is lost.
What differs between the two is the kind, which `controller` is told. Source: Kubernetes'
pkg/controller/replicaset/replica_set.go and pkg/controller/replication.
"""

from __future__ import annotations

import copy

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers import _adoption, _conditions, _pod_control, _pods
from kubelearn.controllers.base import (
    PODS,
    Controller,
    ControllerContext,
    Watch,
    by_controller_uid,
)
from kubelearn.trace import cause

_BURST = 500


async def reconcile(kind: Resource, context: ControllerContext, key: str) -> None:
    rs = context.informer(kind).get(*meta.split_key(key))
    if rs is None:
        return
    informer, candidates = context.informer(PODS), _adoption.candidates(context, rs, PODS)
    pods = await _adoption.claim(context, rs, PODS, [p for p in candidates if not _pods.finished(p)])
    active = [pod for pod in pods if _pods.active(pod)]
    failure: ApiError | None = None
    if "deletionTimestamp" not in rs["metadata"]:
        failure = await _manage(kind, context, rs, active)
        owned = informer.by_index("controller", rs["metadata"]["uid"])
        pods = [pod for pod in owned if not _pods.finished(pod)]
        active = [pod for pod in pods if _pods.active(pod)]
    await _write_status(kind, context, rs, active, len(pods) - len(active), failure)
    if failure is not None:
        raise failure


async def _manage(kind: Resource, context: ControllerContext, rs: Obj, active: list[Obj]) -> ApiError | None:
    wanted = rs["spec"].get("replicas", 1)
    diff = len(active) - wanted
    have = f"{len(active)} pod{'' if len(active) == 1 else 's'}, wants {wanted}"
    if diff < 0:
        cause.add_note(reconcile=f"{have} → create {-diff}")
        pods = [_pod_control.pod_from_template(rs) for _ in range(min(-diff, _BURST))]
        return await _pod_control.slow_start(pods, lambda pod: _pod_control.create(context, rs, pod))
    if diff > 0:
        cause.add_note(reconcile=f"{have} → delete {diff}")
        neighbours = _neighbours(kind, context, rs)
        victims = _pods.deletion_order(active, neighbours, context.now())[: min(diff, _BURST)]
        return await _pod_control.delete_all(context, rs, victims)
    cause.add_note(reconcile=f"{have} → nothing to do, report status")
    return None


def _neighbours(kind: Resource, context: ControllerContext, rs: Obj) -> list[Obj]:
    """Pods of all sets with the same owner: the old and the new ones of a rolling update."""
    owner = meta.controller_of(rs)
    sets = [rs]
    if owner is not None:
        sets = context.informer(kind).by_index("controller", owner["uid"])
    return [p for s in sets for p in context.informer(PODS).by_index("controller", s["metadata"]["uid"])]


async def _write_status(
    kind: Resource, context: ControllerContext, rs: Obj, active: list[Obj], terminating: int, failure: ApiError | None
) -> None:
    old = rs.get("status") or {}
    new = _status(context, rs, active, terminating)
    new["conditions"] = copy.deepcopy(old.get("conditions") or [])
    if failure is not None and _conditions.get(new, "ReplicaFailure") is None:
        short = len(active) < rs["spec"].get("replicas", 1)
        reason = "FailedCreate" if short else "FailedDelete"
        condition = _conditions.make("ReplicaFailure", "True", reason, failure.message, context.timestamp())
        _conditions.put(new, condition)
    elif failure is None:
        _conditions.remove(new, "ReplicaFailure")
    if not new["conditions"]:
        del new["conditions"]
    if _significant(new) == _significant(old):
        return
    await context.update(kind, {**rs, "status": new}, "status")


def _status(context: ControllerContext, rs: Obj, active: list[Obj], terminating: int) -> Obj:
    """The counts; comes back by itself when a ready pod will have been so for minReadySeconds."""
    labels = (rs["spec"]["template"].get("metadata") or {}).get("labels") or {}
    min_ready = rs["spec"].get("minReadySeconds", 0)
    waits = [_pods.available_in(pod, min_ready, context.now()) for pod in active]
    later = [wait for wait in waits if wait]
    if later:
        context.requeue_after(meta.key(rs), min(later))
    counts = {
        "fullyLabeledReplicas": sum(labels.items() <= (p["metadata"].get("labels") or {}).items() for p in active),
        "readyReplicas": sum(wait is not None for wait in waits),
        "availableReplicas": sum(wait == 0 for wait in waits),
    }
    out: Obj = {"replicas": len(active), **{name: count for name, count in counts.items() if count}}
    if rs["kind"] == "ReplicaSet":
        out["terminatingReplicas"] = terminating
    out["observedGeneration"] = rs["metadata"].get("generation", 0)
    return out


def _significant(status: Obj) -> Obj:
    return {name: value for name, value in status.items() if value not in (0, [], None)}


def controller(name: str, kind: Resource) -> Controller:
    """The controller of that kind; its reconcile function belongs to the file that exports it."""

    async def reconcile_one(context: ControllerContext, key: str) -> None:
        await reconcile(kind, context, key)

    watches = (
        Watch(kind, indexes={"controller": by_controller_uid}),
        Watch(PODS, _adoption.pod_keys(kind), {"controller": by_controller_uid}),
    )
    return Controller(name, watches, reconcile_one)
