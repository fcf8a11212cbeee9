"""Jobs: how many pods have run to their end."""

from __future__ import annotations

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.api.table import human_duration
from kubelearn.kit import clock
from kubelearn.kubectl.describers import _containers as c
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer

_SETTINGS = (
    ("Completion Mode", "completionMode"),
    ("Suspend", "suspend"),
    ("Backoff Limit", "backoffLimit"),
    ("TTL Seconds After Finished", "ttlSecondsAfterFinished"),
)
_SHOWN_INDEXES = 50


async def write(out: Writer, job: Obj, _sources: Sources) -> None:
    meta, spec, status = job["metadata"], job.get("spec") or {}, job.get("status") or {}
    out.field("Name", meta["name"])
    out.field("Namespace", meta.get("namespace", ""))
    out.field("Selector", selectors.format(spec.get("selector")))
    w.labels(out, "Labels", meta.get("labels"))
    w.annotation_lines(out, meta.get("annotations"))
    if owner := w.controller(job):
        out.field("Controlled By", owner)
    if spec.get("parallelism") is not None:
        out.field("Parallelism", spec["parallelism"])
    out.field("Completions", w.or_unset(spec.get("completions")))
    for title, key in _SETTINGS:
        if spec.get(key) is not None:
            out.field(title, w.go_bool(spec[key]) if isinstance(spec[key], bool) else spec[key])
    _times(out, status)
    if spec.get("activeDeadlineSeconds") is not None:
        out.field("Active Deadline Seconds", f"{spec['activeDeadlineSeconds']}s")
    ready = f" ({status['ready']} Ready)" if status.get("ready") is not None else ""
    done = f"{status.get('succeeded', 0)} Succeeded / {status.get('failed', 0)} Failed"
    out.field("Pods Statuses", f"{status.get('active', 0)} Active{ready} / {done}")
    if spec.get("completionMode") == "Indexed":
        out.field("Completed Indexes", _indexes(status.get("completedIndexes", "")))
    c.template(out, spec.get("template") or {})


def _times(out: Writer, status: Obj) -> None:
    start, end = status.get("startTime"), status.get("completionTime")
    if start:
        out.field("Start Time", w.time(start))
    if end:
        out.field("Completed At", w.time(end))
    if start and end:
        out.field("Duration", human_duration((clock.parse(end) - clock.parse(start)).total_seconds()))


def _indexes(text: str) -> str:
    """Cut after a comma, so that no index is cut in two."""
    if len(text) <= _SHOWN_INDEXES:
        return text or "<none>"
    return text[: text.rfind(",", 0, _SHOWN_INDEXES) + 1] + "..."


DESCRIBER = Describer(write)
