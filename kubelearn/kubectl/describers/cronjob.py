"""CronJobs, with the template of their jobs."""

from __future__ import annotations

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _containers as c
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, found: Obj, _sources: Sources) -> None:
    spec, status = found.get("spec") or {}, found.get("status") or {}
    w.head(out, found)
    out.field("Schedule", spec.get("schedule", ""))
    out.field("Concurrency Policy", spec.get("concurrencyPolicy", ""))
    out.field("Suspend", w.boolean_or_unset(spec.get("suspend")))
    out.field("Time Zone", w.or_unset(spec.get("timeZone")))
    out.field("Successful Job History Limit", w.or_unset(spec.get("successfulJobsHistoryLimit")))
    out.field("Failed Job History Limit", w.or_unset(spec.get("failedJobsHistoryLimit")))
    deadline = spec.get("startingDeadlineSeconds")
    out.field("Starting Deadline Seconds", "<unset>" if deadline is None else f"{deadline}s")
    _template(out, (spec.get("jobTemplate") or {}).get("spec") or {})
    out.field("Last Schedule Time", w.time(status.get("lastScheduleTime")))
    out.field("Active Jobs", ", ".join(job.get("name", "") for job in status.get("active") or []) or "<none>")


def _template(out: Writer, spec: Obj) -> None:
    out.field("Selector", selectors.format(spec["selector"]) if spec.get("selector") else "<unset>")
    out.field("Parallelism", w.or_unset(spec.get("parallelism")))
    out.field("Completions", w.or_unset(spec.get("completions")))
    if spec.get("activeDeadlineSeconds") is not None:
        out.field("Active Deadline Seconds", f"{spec['activeDeadlineSeconds']}s")
    c.template(out, spec.get("template") or {})


DESCRIBER = Describer(write)
