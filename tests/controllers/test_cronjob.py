"""CronJobs: when a Job is due, how many may run, and what stays of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubelearn.api.resource import Obj
from kubelearn.controllers import _schedules
from kubelearn.controllers.cronjob import CRONJOBS
from kubelearn.controllers.job import JOBS
from kubelearn.kit import clock

START = datetime(2026, 5, 4, 10, 0, 30, tzinfo=UTC)


def cronjob(schedule: str = "*/5 * * * *", last: datetime | None = None, **spec: Any) -> Obj:
    template = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}}}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick", "namespace": "default", "creationTimestamp": clock.rfc3339(START)},
        "spec": {"schedule": schedule, "jobTemplate": template, **spec},
        "status": {"lastScheduleTime": clock.rfc3339(last)} if last else {},
    }


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 5, 4, hour, minute, second, tzinfo=UTC)


def test_nothing_is_due_before_the_first_time() -> None:
    found = _schedules.due(cronjob(), at(10, 4))
    assert (found.at, found.missed, found.next) == (None, 0, at(10, 5))


def test_of_several_missed_times_the_newest_is_due() -> None:
    found = _schedules.due(cronjob(), at(10, 16))
    assert (found.at, found.missed, found.next) == (at(10, 15), 3, at(10, 20))


def test_a_time_that_was_served_is_not_due_again() -> None:
    assert _schedules.due(cronjob(last=at(10, 15)), at(10, 16)).at is None


def test_with_a_deadline_old_times_are_forgotten() -> None:
    found = _schedules.due(cronjob(startingDeadlineSeconds=30), at(10, 16))
    assert (found.at, found.missed) == (None, 0)


def test_years_asleep_are_not_counted_one_by_one() -> None:
    found = _schedules.due(cronjob("* * * * *"), START + timedelta(days=3650))
    assert _schedules.too_many(found)
    assert found.at is not None
    assert START + timedelta(days=3650) - found.at < timedelta(minutes=1)


def test_a_time_zone_moves_the_schedule() -> None:
    found = _schedules.due(cronjob("0 14 * * *", timeZone="Asia/Tokyo"), at(10, 16) + timedelta(days=1))
    assert found.at == datetime(2026, 5, 5, 5, 0, tzinfo=UTC)
    job = _schedules.job_of(cronjob(timeZone="Asia/Tokyo"), found.at)
    stamp = job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
    assert stamp == "2026-05-05T14:00:00+09:00"


def test_the_name_of_a_job_tells_its_minute() -> None:
    assert _schedules.job_of(cronjob(), at(10, 5))["metadata"]["name"] == f"tick-{int(at(10, 5).timestamp()) // 60}"


async def begin(cluster: Any, **spec: Any) -> None:
    """A CronJob that was made ten minutes ago, so that one time has come."""
    await cluster.start("cronjob")
    made = cronjob("*/1 * * * *", **spec)
    made["metadata"]["creationTimestamp"] = clock.rfc3339(clock.utc_now() - timedelta(seconds=90))
    made["status"] = {"lastScheduleTime": clock.rfc3339(clock.utc_now() - timedelta(seconds=90))}
    created = await cluster.client.create(CRONJOBS, made, "default")
    await cluster.client.patch(CRONJOBS, "tick", "default", {"status": made["status"]}, subresource="status")
    assert created["metadata"]["name"] == "tick"
    await cluster.settled()


async def tick(cluster: Any) -> None:
    """Another time comes: the last one was served a while ago."""
    past = {"status": {"lastScheduleTime": clock.rfc3339(clock.utc_now() - timedelta(seconds=130))}}
    await cluster.client.patch(CRONJOBS, "tick", "default", past, subresource="status")
    await cluster.settled()


async def jobs(cluster: Any) -> list[Obj]:
    found: list[Obj] = (await cluster.client.list(JOBS, "default"))["items"]
    return found


async def finish(cluster: Any, job: Obj, outcome: str = "Complete") -> None:
    now = clock.rfc3339(clock.utc_now())
    condition = {"type": outcome, "status": "True", "lastTransitionTime": now, "reason": "x", "message": "x"}
    status = {"conditions": [condition], "startTime": now, "completionTime": now}
    await cluster.client.patch(JOBS, job["metadata"]["name"], "default", {"status": status}, subresource="status")
    await cluster.settled()


async def status(cluster: Any) -> Obj:
    found: Obj = (await cluster.client.get(CRONJOBS, "tick", "default"))["status"]
    return found


async def test_a_job_is_made_noted_and_seen_to_its_end(cluster: Any) -> None:
    await begin(cluster)
    (job,) = await jobs(cluster)
    (active,) = (await status(cluster))["active"]
    assert active["uid"] == job["metadata"]["uid"]
    assert job["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    await finish(cluster, job)
    found = await status(cluster)
    assert "active" not in found
    assert found["lastSuccessfulTime"] == (await jobs(cluster))[0]["status"]["completionTime"]
    name = job["metadata"]["name"]
    assert cluster.messages() == [f"Created job {name}", f"Saw completed job: {name}, condition: Complete"]


async def test_suspended_nothing_is_made(cluster: Any) -> None:
    await begin(cluster, suspend=True)
    assert await jobs(cluster) == []


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("Forbid", "Not starting job because prior execution is running and concurrency policy is Forbid"),
        ("Replace", "Deleted job tick-"),
    ],
)
async def test_what_runs_forbids_or_is_replaced(cluster: Any, policy: str, told: str) -> None:
    await begin(cluster, concurrencyPolicy=policy)
    (first,) = await jobs(cluster)
    await tick(cluster)
    assert any(message.startswith(told) for message in cluster.messages())
    (now,) = await jobs(cluster)
    assert (now["metadata"]["uid"] == first["metadata"]["uid"]) == (policy == "Forbid")


async def test_only_the_newest_ended_jobs_stay(cluster: Any) -> None:
    await begin(cluster, successfulJobsHistoryLimit=0)
    (job,) = await jobs(cluster)
    await finish(cluster, job)
    assert await jobs(cluster) == []
    assert f"Deleted job {job['metadata']['name']}" in cluster.messages()


async def test_a_job_goes_after_its_time(cluster: Any) -> None:
    await cluster.start("ttl_after_finished")
    spec = {**cronjob()["spec"]["jobTemplate"]["spec"], "ttlSecondsAfterFinished": 0}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "short", "namespace": "default"},
        "spec": spec,
    }
    job = await cluster.client.create(JOBS, body, "default")
    await cluster.settled()
    assert len(await jobs(cluster)) == 1
    await finish(cluster, job)
    left = await jobs(cluster)
    assert not left or "deletionTimestamp" in left[0]["metadata"]
