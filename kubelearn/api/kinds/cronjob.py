"""CronJob (batch/v1)."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kubelearn.api import cron, selectors
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, NONE, age, container_columns
from kubelearn.api.kinds._errors import Errors, choice, invalid, nonnegative, required
from kubelearn.api.kinds._job import template_only, validate_job_spec
from kubelearn.api.kinds._podspec import default_template
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "batch", "v1", "CronJob", "cronjobs", "cronjob", True,
    short_names=("cj",), categories=("all",), subresources=("status",),
)  # fmt: skip
#: A Job's name is that of its CronJob and eleven characters more.
_MAX_NAME = 52
_POLICIES = ("Allow", "Forbid", "Replace")


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    r.fill_text(spec, "concurrencyPolicy", "Allow")
    r.fill(spec, "suspend", False)
    r.fill(spec, "successfulJobsHistoryLimit", 3)
    r.fill(spec, "failedJobsHistoryLimit", 1)
    template = r.ensure(spec, "jobTemplate")
    r.ensure(template, "metadata")
    default_template(r.ensure(r.ensure(template, "spec"), "template"))
    r.ensure(obj, "status")


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {}


def _schedule(spec: Obj, *, zone_in_schedule: bool) -> Errors:
    text, path = r.text(spec, "schedule"), "spec.schedule"
    if not text:
        return [required(path)]
    out: Errors = []
    try:
        cron.parse(text)
    except ValueError as error:
        out.append(invalid(path, text, str(error)))
    if "TZ" in text and not zone_in_schedule:
        out.append(invalid(path, text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"))
    elif "TZ" in text and r.has(spec, "timeZone"):
        out.append(invalid(path, text, "cannot use both timeZone field and TZ or CRON_TZ in schedule"))
    return out


def _time_zone(spec: Obj) -> Errors:
    if not r.has(spec, "timeZone"):
        return []
    path, zone = "spec.timeZone", r.text(spec, "timeZone")
    if not zone:
        return [invalid(path, zone, "timeZone must be nil or non-empty string")]
    if zone.lower() == "local":
        text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        return [invalid(path, zone, text)]
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return [invalid(path, zone, f"unknown time zone {zone}")]
    return []


def _spec(spec: Obj, *, zone_in_schedule: bool) -> Errors:
    out = _schedule(spec, zone_in_schedule=zone_in_schedule)
    out += nonnegative("spec.startingDeadlineSeconds", r.number(spec, "startingDeadlineSeconds"))
    out += _time_zone(spec)
    out += choice("spec.concurrencyPolicy", r.text(spec, "concurrencyPolicy"), _POLICIES)
    job = r.mapping(spec, "jobTemplate", "spec")
    out += validate_job_spec("spec.jobTemplate.spec", job) + template_only("spec.jobTemplate.spec", job)
    for key in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        out += nonnegative(f"spec.{key}", r.number(spec, key))
    return out


def validate(obj: Obj) -> list[FieldError]:
    """A stored object may be older than the rule on time zones; `validate_update` has no more to say then."""
    stored = bool(r.text(r.mapping(obj, "metadata"), "resourceVersion"))
    out = _spec(r.mapping(obj, "spec"), zone_in_schedule=stored)
    if not stored and len(name := r.name(obj)) > _MAX_NAME:
        out.insert(0, invalid("metadata.name", name, f"must be no more than {_MAX_NAME} characters"))
    return out


def _last(obj: Obj) -> str:
    last = r.text(r.mapping(obj, "status"), "lastScheduleTime")
    return age(last) if last else NONE


def _selector(obj: Obj) -> str:
    try:
        return selectors.format(r.mapping(obj, "spec", "jobTemplate", "spec", "selector"))
    except (KeyError, TypeError, AttributeError):
        return "<error>"


def _spec_at(key: str) -> Callable[[Obj], str]:
    return lambda obj: r.text(r.mapping(obj, "spec"), key)


def _suspended(obj: Obj) -> str:
    return str(r.flag(r.mapping(obj, "spec"), "suspend"))


COLUMNS = (
    NAME,
    Column("Schedule", _spec_at("schedule"), description="When, in cron's five fields."),
    Column("Timezone", lambda obj: _spec_at("timeZone")(obj) or NONE, description="Whose clock the schedule reads."),
    Column("Suspend", _suspended, "boolean", description="Whether it starts no Jobs."),
    Column("Active", lambda obj: len(r.objects(r.mapping(obj, "status"), "active")), "integer",
           description="Jobs that run."),
    Column("Last Schedule", _last, description="When it started its last Job."),
    AGE,
    *container_columns("spec", "jobTemplate", "spec", "template", "spec"),
    Column("Selector", _selector, priority=1, description="Label selector of the Jobs' pods."),
)  # fmt: skip
KIND = Kind(
    RESOURCE, COLUMNS, default, validate, prepare=prepare, has_status=True, has_generation=True
)  # fmt: skip
