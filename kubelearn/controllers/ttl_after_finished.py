"""Jobs that are over go after their `ttlSecondsAfterFinished`. Source: Kubernetes' pkg/controller/ttlafterfinished."""

from __future__ import annotations

from datetime import timedelta

from kubelearn.api import meta
from kubelearn.controllers import _conditions
from kubelearn.controllers.base import Controller, ControllerContext, Watch, own_key
from kubelearn.controllers.job import JOBS, over
from kubelearn.kit import clock
from kubelearn.trace import cause


async def reconcile(context: ControllerContext, key: str) -> None:
    job = context.informer(JOBS).get(*meta.split_key(key))
    if job is None or "deletionTimestamp" in job["metadata"] or not over(job):
        return
    ttl = job["spec"].get("ttlSecondsAfterFinished")
    if ttl is None:
        return
    found = [_conditions.get(job["status"], type_) for type_ in ("Complete", "Failed")]
    ended = max(clock.parse(c["lastTransitionTime"]) for c in found if c is not None and c["status"] == "True")
    left = (ended + timedelta(seconds=ttl) - context.now()).total_seconds()
    if left > 0:
        context.requeue_after(key, left)
        return
    cause.add_note(reconcile=f"job {key} has been over for {ttl} s → delete it")
    options = {"propagationPolicy": "Foreground", "preconditions": {"uid": job["metadata"]["uid"]}}
    await context.delete(JOBS, job, options)


CONTROLLER = Controller("ttl-after-finished-controller", (Watch(JOBS, own_key),), reconcile)
