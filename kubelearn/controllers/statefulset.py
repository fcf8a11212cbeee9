"""StatefulSet: pods with names that last, made in order, replaced in place, removed from the end.

Source: Kubernetes' pkg/controller/statefulset/stateful_set_control.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers import _adoption, _pods, _revisions, _stateful_pods
from kubelearn.controllers._revisions import REVISIONS
from kubelearn.controllers.base import PODS, Controller, ControllerContext, Watch, by_controller_uid
from kubelearn.trace import cause

STATEFULSETS = Resource("apps", "v1", "StatefulSet", "statefulsets", "statefulset", True)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One reconcile: the set, the revision its pods have had and the one they are to have, its pods by ordinal."""

    context: ControllerContext
    set: Obj
    old: Obj
    new: Obj
    pods: dict[int, Obj]

    @property
    def ordinals(self) -> range:
        start = (self.set["spec"].get("ordinals") or {}).get("start", 0)
        return range(start, start + self.set["spec"].get("replicas", 1))

    @property
    def in_order(self) -> bool:
        return bool(self.set["spec"].get("podManagementPolicy", "OrderedReady") == "OrderedReady")

    @property
    def partition(self) -> int:
        strategy = self.set["spec"].get("updateStrategy") or {}
        return int((strategy.get("rollingUpdate") or {}).get("partition") or 0)

    def healthy(self, pod: Obj) -> bool:
        return not _pods.terminating(pod) and self.available_in(pod) == 0

    def available_in(self, pod: Obj) -> float | None:
        return _pods.available_in(pod, self.set["spec"].get("minReadySeconds", 0), self.context.now())

    def revision_for(self, ordinal: int) -> Obj:
        return self.old if ordinal < self.ordinals.start + self.partition else self.new


async def reconcile(context: ControllerContext, key: str) -> None:
    found = context.informer(STATEFULSETS).get(*meta.split_key(key))
    if found is None or "deletionTimestamp" in found["metadata"]:
        return
    pods = await _claimed(context, found)
    labels = (found["spec"]["template"].get("metadata") or {}).get("labels") or {}
    new = await _revisions.current(context, found, {**labels, "controller.kubernetes.io/hash": "{hash}"})
    named = (found.get("status") or {}).get("currentRevision", "")
    old = next((r for r in _revisions.of(context, found) if r["metadata"]["name"] == named), new)
    turn = _Turn(context, found, old, new, pods)
    failure = await _act(turn)
    await _write_status(turn)
    used = [p["metadata"]["labels"].get(_revisions.HASH_LABEL, "") for p in pods.values()]
    await _revisions.truncate(context, found, [*used, old["metadata"]["name"], new["metadata"]["name"]])
    if failure is not None:
        raise failure


async def _claimed(context: ControllerContext, owner: Obj) -> dict[int, Obj]:
    informer = context.informer(PODS)
    orphans = informer.by_index("controller", f"orphans/{owner['metadata']['namespace']}")
    candidates = informer.by_index("controller", owner["metadata"]["uid"])
    candidates += [p for p in orphans if _stateful_pods.ordinal(owner, p) is not None]
    claimed = await _adoption.claim(context, owner, PODS, candidates)
    return {o: pod for pod in claimed if (o := _stateful_pods.ordinal(owner, pod)) is not None}


async def _act(turn: _Turn) -> ApiError | None:
    """Whatever can be done now. In order, the first pod that is not well holds up all that comes after it."""
    for ordinal in turn.ordinals:
        outcome, goes_on = await _keep(turn, ordinal)
        if outcome is not None or not goes_on:
            return outcome
    extra = sorted((o for o in turn.pods if o not in turn.ordinals), reverse=True)
    first_unhealthy = next((o for o in sorted(turn.pods) if not turn.healthy(turn.pods[o])), None)
    for ordinal in extra:
        pod = turn.pods[ordinal]
        if _pods.terminating(pod):
            if turn.in_order:
                return None
            continue
        if turn.in_order and not _pods.ready(pod) and ordinal != first_unhealthy:
            return None
        cause.add_note(reconcile=f"{len(turn.ordinals)} wanted → delete {pod['metadata']['name']}")
        outcome = await _stateful_pods.delete(turn.context, turn.set, pod)
        if outcome is not None or turn.in_order:
            return outcome
    return await _roll(turn)


async def _keep(turn: _Turn, ordinal: int) -> tuple[ApiError | None, bool]:
    """(what refused, whether the next pod may be looked at)."""
    pod = turn.pods.get(ordinal)
    if pod is None:
        revision = turn.revision_for(ordinal)
        cause.add_note(reconcile=f"no {turn.set['metadata']['name']}-{ordinal} → create it")
        outcome = await _stateful_pods.create(turn.context, _revisions.apply(turn.set, revision), ordinal, revision)
        return outcome, outcome is None and not turn.in_order
    if _pods.finished(pod) and not _pods.terminating(pod):
        name = pod["metadata"]["name"]
        text = f"StatefulSet {meta.key(turn.set)} is recreating failed Pod {name}"
        await turn.context.recorder.event(turn.set, "Warning", "RecreatingFailedPod", text)
        return await _stateful_pods.delete(turn.context, turn.set, pod), not turn.in_order
    if turn.in_order and not turn.healthy(pod):
        if wait := turn.available_in(pod):
            turn.context.requeue_after(meta.key(turn.set), wait)
        return None, False
    return None, True


async def _roll(turn: _Turn) -> ApiError | None:
    """Give pods the new template, from the last to the partition, each once the one after it is well again."""
    if (turn.set["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") != "RollingUpdate":
        return None
    for ordinal in _from_the_end(turn):
        pod = turn.pods.get(ordinal)
        if pod is None or not turn.healthy(pod):
            stale = pod is not None and not _pods.terminating(pod) and not _has(pod, turn.new)
            if pod is not None and stale:
                return await _stateful_pods.delete(turn.context, turn.set, pod)
            return None
        if not _has(pod, turn.new):
            cause.add_note(reconcile=f"{pod['metadata']['name']} has an older template → delete it")
            return await _stateful_pods.delete(turn.context, turn.set, pod)
    return None


def _from_the_end(turn: _Turn) -> Iterator[int]:
    return (o for o in reversed(turn.ordinals) if o >= turn.ordinals.start + turn.partition)


def _has(pod: Obj, revision: Obj) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return bool(labels.get(_revisions.HASH_LABEL) == revision["metadata"]["name"])


async def _write_status(turn: _Turn) -> None:
    owned = turn.context.informer(PODS).by_index("controller", turn.set["metadata"]["uid"])
    pods = [p for p in owned if not _pods.finished(p)]
    alive = [p for p in pods if not _pods.terminating(p)]
    wanted = len(turn.ordinals)
    updated = [p for p in alive if _has(p, turn.new)]
    ready = [p for p in alive if _pods.ready(p)]
    old, new = turn.old["metadata"]["name"], turn.new["metadata"]["name"]
    if len(updated) == len(alive) == len(ready) == wanted:
        old = new  # the roll-out is complete
    before = turn.set.get("status") or {}
    counts = {
        "replicas": len(pods),
        "readyReplicas": len(ready),
        "currentReplicas": sum((p["metadata"].get("labels") or {}).get(_revisions.HASH_LABEL) == old for p in alive),
        "updatedReplicas": len(updated),
        "availableReplicas": sum(turn.available_in(p) == 0 for p in alive),
    }
    status: Obj = {
        "observedGeneration": turn.set["metadata"].get("generation", 0),
        **{name: count for name, count in counts.items() if count or name in ("replicas", "availableReplicas")},
        "currentRevision": old,
        "updateRevision": new,
        "collisionCount": before.get("collisionCount", 0),
    }
    if status != before:
        await turn.context.update(STATEFULSETS, {**turn.set, "status": status}, "status")


CONTROLLER = Controller(
    "statefulset-controller",
    (
        Watch(STATEFULSETS, indexes={"controller": by_controller_uid}),
        Watch(PODS, _adoption.pod_keys(STATEFULSETS), {"controller": by_controller_uid}),
        Watch(REVISIONS, lambda *_: (), {"controller": by_controller_uid}),
        Watch(_stateful_pods.CLAIMS, lambda *_: ()),
    ),
    reconcile,
)
