"""Job: pods that run to their end, as many as asked for, with a count that no crash can lose.

An ended pod keeps a finalizer until its uid stands in the status: first the uid, then the finalizer goes, then the
number is raised (KEP-2307). Source: Kubernetes' pkg/controller/job/job_controller.go.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH
from kubelearn.controllers import _adoption, _conditions, _job_indexes, _job_outcome, _job_pods, _pod_control, _pods
from kubelearn.controllers._job_outcome import Counts, Outcome
from kubelearn.controllers._job_pods import Standing
from kubelearn.controllers.base import PODS, Controller, ControllerContext, Watch, by_controller_uid
from kubelearn.kit import clock
from kubelearn.trace import cause

JOBS = Resource("batch", "v1", "Job", "jobs", "job", True)
_MANAGER = "kubernetes.io/job-controller"
_OVER = ("Complete", "Failed")


def over(job: Obj) -> bool:
    status = job.get("status") or {}
    return any((_conditions.get(status, type_) or {}).get("status") == "True" for type_ in _OVER)


async def reconcile(context: ControllerContext, key: str) -> None:
    job = context.informer(JOBS).get(*meta.split_key(key))
    if job is None or job["spec"].get("managedBy") not in (None, _MANAGER):
        return
    pods = await _claimed(context, job)
    if over(job) or "deletionTimestamp" in job["metadata"]:
        await _untrack(context, pods)
        return
    standing = Standing.of(job, pods)
    counts = _counts(job, standing, pods)
    outcome = _outcome_so_far(job) or _job_outcome.decide(job, standing, counts, context.now())
    failure = await _act(context, job, standing, counts, pods, outcome)
    await _track(context, job, standing, counts, outcome)
    if failure is not None:
        raise failure


async def _claimed(context: ControllerContext, job: Obj) -> list[Obj]:
    return await _adoption.claim(context, job, PODS, _adoption.candidates(context, job, PODS))


def _uncounted(job: Obj) -> dict[str, list[str]]:
    found = (job.get("status") or {}).get("uncountedTerminatedPods") or {}
    return {which: list(found.get(which) or ()) for which in ("succeeded", "failed")}


def _counts(job: Obj, standing: Standing, pods: list[Obj]) -> Counts:
    status, waiting = job.get("status") or {}, _uncounted(job)
    succeeded = status.get("succeeded", 0) + len(waiting["succeeded"]) + len(standing.succeeded)
    failed = status.get("failed", 0) + len(waiting["failed"]) + len(_counting(job, standing))
    if not _job_pods.indexed(job):
        return Counts(succeeded, failed)
    completed = _job_pods.completed_indexes(job, standing)
    return Counts(len(completed), failed, completed, _job_pods.failed_indexes(job, pods, completed))


def _counting(job: Obj, standing: Standing) -> list[Obj]:
    """Failed pods, without those that the failure policy ignores."""
    return [pod for pod in standing.failed if _job_pods.policy_match(job, pod).action != "Ignore"]


def _outcome_so_far(job: Obj) -> Outcome | None:
    """Decided before, and waiting for its pods to end."""
    for good, type_ in ((True, "SuccessCriteriaMet"), (False, "FailureTarget")):
        found = _conditions.get(job.get("status") or {}, type_)
        if found is not None and found["status"] == "True":
            return Outcome(good, found["reason"], found["message"])
    return None


async def _act(
    context: ControllerContext,
    job: Obj,
    standing: Standing,
    counts: Counts,
    pods: list[Obj],
    outcome: Outcome | None,
) -> ApiError | None:
    if outcome is not None:
        cause.add_note(reconcile=f"{outcome.final}: {outcome.message}")
        return await _pod_control.delete_all(context, job, standing.active)
    if job["spec"].get("suspend"):
        return await _pod_control.delete_all(context, job, standing.active)
    if (left := _job_outcome.deadline_in(job, context.now())) is not None:
        context.requeue_after(meta.key(job), left)
    surplus, wanted = _difference(job, standing, counts)
    if surplus:
        cause.add_note(reconcile=f"{len(standing.active)} active → delete {len(surplus)}")
        return await _pod_control.delete_all(context, job, surplus)
    if not wanted:
        return None
    if (wait := _backoff(context, job, standing)) > 0:
        context.requeue_after(meta.key(job), wait)
        return None
    cause.add_note(reconcile=f"{len(standing.active)} active, {counts.succeeded} succeeded → create {len(wanted)}")
    new = [_job_pods.make(job, i, _job_pods.failures_of(pods, i) if i is not None else 0) for i in wanted]
    return await _pod_control.slow_start(new, lambda pod: _pod_control.create(context, job, pod))


def _difference(job: Obj, standing: Standing, counts: Counts) -> tuple[list[Obj], list[int | None]]:
    """Pods that are too many, and for which indexes (None: no index) new ones are to be made."""
    spec, active = job["spec"], standing.active
    parallelism, completions = spec.get("parallelism", 1), spec.get("completions")
    if completions is None:
        target = len(active) if counts.succeeded else parallelism
    else:
        target = min(parallelism, completions - counts.succeeded)
    if counts.completed is None:
        surplus = _pods.deletion_order(active, active, clock.utc_now())[: max(0, len(active) - target)]
        held = standing.terminating if spec.get("podReplacementPolicy") == "Failed" else 0
        return surplus, [None] * max(0, target - len(active) - held)
    taken: dict[int, Obj] = {}
    surplus = []
    done = counts.completed | (counts.failed_indexes or set())
    for pod in active:
        index = _job_pods.index_of(pod)
        if index in taken or index in done or not 0 <= index < completions or len(taken) >= target:
            surplus.append(pod)
        else:
            taken[index] = pod
    free = [i for i in range(completions) if i not in taken and i not in done]
    return surplus, [*free[: max(0, target - len(taken))]]


def _backoff(context: ControllerContext, job: Obj, standing: Standing) -> float:
    """What a controller remembers of failures in a row; after its restart it is patient anew."""
    known: dict[str, tuple[int, datetime | None]] = context.state.setdefault("failures", {})
    row, last = known.get(job["metadata"]["uid"], (0, None))
    if standing.succeeded:
        row, last = 0, None
    if fresh := _counting(job, standing):
        row, last = row + len(fresh), max(_ended(pod, context.now()) for pod in fresh)
    known[job["metadata"]["uid"]] = row, last
    return _job_outcome.backoff(row, last, context.now())


def _ended(pod: Obj, now: datetime) -> datetime:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    ends = [(c.get("state") or {}).get("terminated", {}).get("finishedAt") for c in statuses]
    return max((clock.parse(end) for end in ends if end), default=now)


async def _track(
    context: ControllerContext, job: Obj, standing: Standing, counts: Counts, outcome: Outcome | None
) -> None:
    """Status, finalizers, status: see the module's docstring."""
    waiting = _uncounted(job)
    waiting["succeeded"] += [pod["metadata"]["uid"] for pod in standing.succeeded]
    waiting["failed"] += [pod["metadata"]["uid"] for pod in _counting(job, standing)]
    owned = context.informer(PODS).by_index("controller", job["metadata"]["uid"])
    now_standing = Standing.of(job, owned)
    status = _standing_status(context, job, now_standing, outcome)
    status["uncountedTerminatedPods"] = {which: uids for which, uids in waiting.items() if uids}
    job = await _write(context, job, status)
    listed = {uid for uids in waiting.values() for uid in uids}
    ended = {pod["metadata"]["uid"] for pod in (*standing.succeeded, *standing.failed)}
    await _untrack(context, [pod for pod in owned if pod["metadata"]["uid"] in listed | ended])
    status = copy.deepcopy(job["status"])
    _raise_counts(status, waiting, counts)
    finished = outcome is not None and not now_standing.active and not now_standing.terminating
    if outcome is not None and finished:
        _finish(context, status, outcome)
    await _write(context, job, status)
    if outcome is not None and finished:
        context.state.get("failures", {}).pop(job["metadata"]["uid"], None)
        text = (
            ("Normal", "Completed", "Job completed") if outcome.good else ("Warning", outcome.reason, outcome.message)
        )
        await context.recorder.event(job, *text)


def _standing_status(context: ControllerContext, job: Obj, standing: Standing, outcome: Outcome | None) -> Obj:
    status: dict[str, Any] = copy.deepcopy(job.get("status") or {})
    spec, now = job["spec"], context.timestamp()
    suspended = _conditions.get(status, "Suspended")
    if spec.get("suspend") and outcome is None:
        status.pop("startTime", None)
        if (suspended or {}).get("status") != "True":
            _put(status, "Suspended", "True", "JobSuspended", "Job suspended", now)
    else:
        status.setdefault("startTime", now)
        if (suspended or {}).get("status") == "True":
            _put(status, "Suspended", "False", "JobResumed", "Job resumed", now)
            status["startTime"] = now
    if outcome is not None:
        _put(status, outcome.interim, "True", outcome.reason, outcome.message, now)
    status["active"] = len(standing.active)
    status["ready"], status["terminating"] = standing.ready, standing.terminating
    if not status["active"]:
        del status["active"]
    return status


def _raise_counts(status: Obj, waiting: dict[str, list[str]], counts: Counts) -> None:
    if counts.completed is None:
        status["succeeded"] = status.get("succeeded", 0) + len(waiting["succeeded"])
    else:
        status["succeeded"] = len(counts.completed)
        status["completedIndexes"] = _job_indexes.format(counts.completed)
    status["failed"] = status.get("failed", 0) + len(waiting["failed"])
    if counts.failed_indexes is not None:
        status["failedIndexes"] = _job_indexes.format(counts.failed_indexes)
    status["uncountedTerminatedPods"] = {}
    for name in ("succeeded", "failed", "completedIndexes"):
        if not status.get(name):
            status.pop(name, None)


def _finish(context: ControllerContext, status: Obj, outcome: Outcome) -> None:
    now = context.timestamp()
    _put(status, outcome.final, "True", outcome.reason, outcome.message, now)
    if outcome.good:
        status["completionTime"] = now


def _put(status: Obj, type_: str, value: str, reason: str, message: str, now: str) -> None:
    condition = _conditions.make(type_, value, reason, message, now)
    _conditions.put(status, {**condition, "lastProbeTime": now})


async def _write(context: ControllerContext, job: Obj, status: Obj) -> Obj:
    if status == (job.get("status") or {}):
        return job
    resumed = {c["type"]: c["status"] for c in status.get("conditions") or ()}.get("Suspended")
    before = (_conditions.get(job.get("status") or {}, "Suspended") or {}).get("status")
    written = await context.update(JOBS, {**job, "status": status}, "status")
    if resumed != before:
        reason, text = ("Suspended", "Job suspended") if resumed == "True" else ("Resumed", "Job resumed")
        await context.recorder.event(job, "Normal", reason, text)
    return written


async def _untrack(context: ControllerContext, pods: Iterable[Obj]) -> None:
    await asyncio.gather(*(_release(context, pod) for pod in pods if _job_pods.tracked(pod)))


async def _release(context: ControllerContext, pod: Obj) -> None:
    """Take our finalizer off, and no other."""
    patch = {
        "metadata": {
            "uid": pod["metadata"]["uid"],
            "$deleteFromPrimitiveList/finalizers": [_job_pods.FINALIZER],
        }
    }
    try:
        await context.patch(PODS, pod, patch, STRATEGIC_MERGE_PATCH)
    except ApiError as error:
        if error.code not in (404, 409):
            raise


CONTROLLER = Controller(
    "job-controller",
    (
        Watch(JOBS, indexes={"controller": by_controller_uid}),
        Watch(PODS, _adoption.pod_keys(JOBS), {"controller": by_controller_uid}),
    ),
    reconcile,
)
