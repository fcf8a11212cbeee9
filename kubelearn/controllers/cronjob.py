"""CronJob: a Job at each time of a schedule.

Source: Kubernetes' pkg/controller/cronjob/cronjob_controllerv2.go.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.kinds import cronjob as cronjobs
from kubelearn.api.resource import Obj
from kubelearn.controllers import _conditions, _schedules
from kubelearn.controllers.base import (
    Controller,
    ControllerContext,
    Watch,
    by_controller_uid,
    controller_key,
    own_key,
)
from kubelearn.controllers.job import JOBS, over
from kubelearn.kit import clock
from kubelearn.trace import cause

CRONJOBS = cronjobs.RESOURCE
#: A schedule is looked at a moment after its time, so that the time has surely come.
_MARGIN = 0.1


async def reconcile(context: ControllerContext, key: str) -> None:
    found = context.informer(CRONJOBS).get(*meta.split_key(key))
    if found is None:
        return
    cronjob = copy.deepcopy(found)
    jobs = context.informer(JOBS).by_index("controller", cronjob["metadata"]["uid"])
    await _account(context, cronjob, jobs)
    await _clean_up(context, cronjob, jobs)
    if "deletionTimestamp" not in cronjob["metadata"] and not cronjob["spec"].get("suspend"):
        await _keep_schedule(context, key, cronjob, jobs)
    if cronjob["status"] != (found.get("status") or {}):
        await context.update(CRONJOBS, cronjob, "status")


def _refers(job: Obj) -> Obj:
    about = job["metadata"]
    kept = ("namespace", "name", "uid", "resourceVersion")
    return {"kind": "Job", "apiVersion": "batch/v1", **{field: about[field] for field in kept}}


# ---- what became of the jobs


async def _account(context: ControllerContext, cronjob: Obj, jobs: list[Obj]) -> None:
    """`status.active` and `status.lastSuccessfulTime` as the jobs say."""
    status = cronjob.setdefault("status", {})
    active = {ref["uid"]: ref for ref in status.get("active") or ()}
    here = {job["metadata"]["uid"]: job for job in jobs}
    for uid, job in here.items():
        name = job["metadata"]["name"]
        if over(job) and active.pop(uid, None):
            outcome = next(t for t in ("Complete", "Failed") if _is(job, t))
            text = f"Saw completed job: {name}, condition: {outcome}"
            await context.recorder.event(cronjob, "Normal", "SawCompletedJob", text)
        elif not over(job) and uid not in active:
            text = f"Saw a job that the controller did not create or forgot: {name}"
            await context.recorder.event(cronjob, "Warning", "UnexpectedJob", text)
        if _is(job, "Complete"):
            ended = job["status"].get("completionTime", "")
            status["lastSuccessfulTime"] = max(status.get("lastSuccessfulTime") or "", ended)
    for uid, ref in [item for item in active.items() if item[0] not in here]:
        text = f"Active job went missing: {ref['name']}"
        await context.recorder.event(cronjob, "Normal", "MissingJob", text)
        del active[uid]
    _set_active(status, list(active.values()))


def _is(job: Obj, outcome: str) -> bool:
    found = _conditions.get(job.get("status") or {}, outcome)
    return found is not None and bool(found["status"] == "True")


def _set_active(status: Obj, refs: list[Obj]) -> None:
    if refs:
        status["active"] = refs
    else:
        status.pop("active", None)


async def _clean_up(context: ControllerContext, cronjob: Obj, jobs: list[Obj]) -> None:
    """Of the jobs that are over, the newest few stay."""
    for outcome, limit in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
        if (kept := cronjob["spec"].get(limit)) is None:
            continue
        ended = sorted((job for job in jobs if _is(job, outcome)), key=_started)
        for job in ended[: max(0, len(ended) - int(kept))]:
            await _delete(context, cronjob, job)


def _started(job: Obj) -> tuple[str, str]:
    return str((job.get("status") or {}).get("startTime") or ""), str(job["metadata"]["name"])


async def _delete(context: ControllerContext, cronjob: Obj, job: Obj) -> None:
    if await context.delete(JOBS, job, {"propagationPolicy": "Background"}):
        text = f"Deleted job {job['metadata']['name']}"
        await context.recorder.event(cronjob, "Normal", "SuccessfulDelete", text)


# ---- the schedule


async def _keep_schedule(context: ControllerContext, key: str, cronjob: Obj, jobs: list[Obj]) -> None:
    now = context.now()
    try:
        due = _schedules.due(cronjob, now)
    except ZoneInfoNotFoundError:
        text = f"invalid timeZone: {cronjob['spec'].get('timeZone')!r}".replace("'", '"')
        await context.recorder.event(cronjob, "Warning", "UnknownTimeZone", text)
        return
    except ValueError as error:
        text = f'unparseable schedule: "{cronjob["spec"]["schedule"]}" : {error}'
        await context.recorder.event(cronjob, "Warning", "UnparseableSchedule", text)
        return
    if due.next is not None:
        context.requeue_after(key, (due.next - now).total_seconds() + _MARGIN)
    if due.at is None:
        return
    if _schedules.too_many(due):
        text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        await context.recorder.event(cronjob, "Warning", "TooManyMissedTimes", text)
    await _serve(context, cronjob, jobs, due.at)


async def _serve(context: ControllerContext, cronjob: Obj, jobs: list[Obj], at: datetime) -> None:
    spec, status = cronjob["spec"], cronjob["status"]
    patience = spec.get("startingDeadlineSeconds")
    if patience is not None and at + timedelta(seconds=patience) < context.now():
        text = f"Missed scheduled time to start a job: {at.strftime('%a, %d %b %Y %H:%M:%S %z')}"
        await context.recorder.event(cronjob, "Warning", "MissSchedule", text)
        return
    running = [job for job in jobs if not over(job)]
    if running and spec.get("concurrencyPolicy") == "Forbid":
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        await context.recorder.event(cronjob, "Normal", "JobAlreadyActive", text)
        return
    if spec.get("concurrencyPolicy") == "Replace":
        for job in running:
            await _delete(context, cronjob, job)
        _set_active(status, [])
    made = await _create(context, cronjob, _schedules.job_of(cronjob, at))
    if made is not None:
        _set_active(status, [*(status.get("active") or ()), _refers(made)])
        status["lastScheduleTime"] = clock.rfc3339(at.astimezone(UTC))


async def _create(context: ControllerContext, cronjob: Obj, job: Obj) -> Obj | None:
    """None if another has the name."""
    job["metadata"]["ownerReferences"] = [meta.owner_reference(cronjob)]
    name = job["metadata"]["name"]
    cause.add_note(reconcile=f"the schedule {cronjob['spec']['schedule']} has come round → create Job {name}")
    try:
        made = await context.create(JOBS, job)
    except ApiError as error:
        if error.reason == "AlreadyExists":
            return None
        text = f"Error creating job: {error.message}"
        await context.recorder.event(cronjob, "Warning", "FailedCreate", text)
        raise
    await context.recorder.event(cronjob, "Normal", "SuccessfulCreate", f"Created job {name}")
    return made


CONTROLLER = Controller(
    "cronjob-controller",
    (Watch(CRONJOBS, own_key), Watch(JOBS, controller_key("CronJob"), {"controller": by_controller_uid})),
    reconcile,
)
