"""When a CronJob is due. Pure. Source: Kubernetes' pkg/controller/cronjob/utils.go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kubelearn.api import cron
from kubelearn.api.resource import Obj
from kubelearn.kit import clock

_MANY = 100


@dataclass(frozen=True, slots=True)
class Due:
    """`at` is the newest time that has come and was not served, None if there is none; `missed` how many had come."""

    at: datetime | None
    missed: int
    next: datetime | None


def zone(spec: Obj) -> ZoneInfo:
    """That of the CronJob, else that of a control plane in a container. Raises ZoneInfoNotFoundError or ValueError."""
    return ZoneInfo(spec.get("timeZone") or "UTC")


def due(cronjob: Obj, now: datetime) -> Due:
    """Raises ValueError for a schedule that cannot be read."""
    spec, status = cronjob["spec"], cronjob.get("status") or {}
    schedule, place = cron.parse(spec["schedule"]), zone(spec)
    since = clock.parse(status.get("lastScheduleTime") or cronjob["metadata"]["creationTimestamp"])
    if (patience := spec.get("startingDeadlineSeconds")) is not None:
        since = max(since, now - timedelta(seconds=patience))
    newest, missed = None, 0
    at = schedule.next(since.astimezone(place))
    if at is not None and schedule.every is not None and at <= now:
        periods = (now - at) // schedule.every  # in one step: an `@every 1s` may have been asleep for years
        newest, missed, at = at + periods * schedule.every, periods + 1, at + (periods + 1) * schedule.every
    while at is not None and at <= now:
        newest, missed = at, missed + 1
        if missed > _MANY and now - at > timedelta(days=2):
            # What came long ago needs no counting: go on from yesterday.
            at = schedule.next((now - timedelta(days=1)).astimezone(place))
            continue
        at = schedule.next(at)
    return Due(newest, missed, at)


def too_many(found: Due) -> bool:
    return found.missed > _MANY


def job_of(cronjob: Obj, at: datetime) -> Obj:
    """The Job of one scheduled time; its name tells the minute, so that there is one at most."""
    template, about = cronjob["spec"]["jobTemplate"], cronjob["metadata"]
    given = template.get("metadata") or {}
    stamp = at.isoformat().replace("+00:00", "Z")
    return {
        "metadata": {
            "name": f"{about['name']}-{int(at.astimezone(UTC).timestamp()) // 60}",
            "namespace": about["namespace"],
            "labels": dict(given.get("labels") or {}),
            "annotations": {
                **(given.get("annotations") or {}),
                "batch.kubernetes.io/cronjob-scheduled-timestamp": stamp,
            },
        },
        "spec": template["spec"],
    }
