"""Jobs: how many pods at once, how many in all, what failure does, and that nothing is counted twice."""

from __future__ import annotations

from typing import Any

import pytest

from kubelearn.api.resource import Obj
from kubelearn.controllers import _job_indexes, _job_outcome, _job_pods
from kubelearn.controllers._job_outcome import Counts
from kubelearn.controllers._job_pods import Standing
from kubelearn.controllers.base import PODS
from kubelearn.controllers.job import JOBS
from kubelearn.kit import clock


async def create(cluster: Any, name: str = "pi", **spec: Any) -> Obj:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}}
    body = {"metadata": {"name": name, "namespace": "default"}, "spec": {"template": template, **spec}}
    await cluster.start("job")
    made: Obj = await cluster.client.create(JOBS, body, "default")
    await cluster.settled()
    return made


async def end(cluster: Any, pod: Obj, phase: str = "Succeeded", code: int = 0) -> None:
    about = pod["metadata"]
    state = {"terminated": {"exitCode": code, "finishedAt": clock.rfc3339(clock.utc_now())}}
    status = {"phase": phase, "containerStatuses": [{"name": "c", "state": state, "restartCount": 0}]}
    await cluster.client.patch(PODS, about["name"], about["namespace"], {"status": status}, subresource="status")
    await cluster.settled()


def running(cluster: Any) -> list[Obj]:
    return [p for p in cluster.active() if p.get("status", {}).get("phase") not in ("Succeeded", "Failed")]


def status(cluster: Any, name: str = "pi") -> Obj:
    found: Obj = cluster.get(JOBS, name)["status"]
    return found


def conditions(cluster: Any, name: str = "pi") -> list[tuple[str, str]]:
    return [(c["type"], c["reason"]) for c in status(cluster, name).get("conditions", ())]


async def test_as_many_at_once_and_as_many_in_all_as_asked_for(cluster: Any) -> None:
    await create(cluster, completions=3, parallelism=2)
    assert len(running(cluster)) == 2
    assert (status(cluster)["active"], status(cluster)["ready"]) == (2, 0)
    assert all(_job_pods.tracked(p) for p in running(cluster))
    for _ in range(3):
        await end(cluster, running(cluster)[0])
    assert not running(cluster)
    found = status(cluster)
    assert (found["succeeded"], found["uncountedTerminatedPods"]) == (3, {})
    assert found["completionTime"]
    assert conditions(cluster) == [
        ("SuccessCriteriaMet", "CompletionsReached"),
        ("Complete", "CompletionsReached"),
    ]
    assert not any(_job_pods.tracked(p) for p in cluster.pods())
    assert cluster.messages()[-1] == "Job completed"


async def test_a_failed_pod_is_replaced_after_a_while_and_too_many_end_the_job(cluster: Any) -> None:
    await create(cluster, backoffLimit=0)
    await end(cluster, running(cluster)[0], "Failed", 1)
    assert status(cluster)["failed"] == 1
    assert conditions(cluster) == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert len(cluster.pods()) == 1
    await create(cluster, "patient")
    await end(cluster, next(p for p in running(cluster)), "Failed", 1)
    assert not running(cluster), "it waits ten seconds first"


async def test_an_indexed_job_has_one_pod_for_each_index(cluster: Any) -> None:
    await create(cluster, completions=3, parallelism=2, completionMode="Indexed")
    assert sorted(map(_job_pods.index_of, running(cluster))) == [0, 1]
    first = next(p for p in running(cluster) if _job_pods.index_of(p) == 0)
    assert first["spec"]["hostname"] == "pi-0"
    assert first["metadata"]["name"].startswith("pi-0-")
    assert first["spec"]["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"
    await end(cluster, first)
    assert status(cluster)["completedIndexes"] == "0"
    assert sorted(map(_job_pods.index_of, running(cluster))) == [1, 2]
    for pod in running(cluster):
        await end(cluster, pod)
    assert (status(cluster)["completedIndexes"], status(cluster)["succeeded"]) == ("0-2", 3)
    assert conditions(cluster)[-1][0] == "Complete"


async def test_a_suspended_job_has_no_pods_until_it_is_resumed(cluster: Any) -> None:
    await create(cluster, suspend=True)
    assert not cluster.pods()
    assert "startTime" not in status(cluster)
    await cluster.client.patch(JOBS, "pi", "default", {"spec": {"suspend": False}})
    await cluster.settled()
    assert len(running(cluster)) == 1
    assert status(cluster)["startTime"]
    assert [m for m in cluster.messages() if m.startswith("Job ")] == ["Job suspended", "Job resumed"]


async def test_a_failure_policy_can_end_the_job_or_look_away(cluster: Any) -> None:
    codes: Any = {"operator": "In", "values": [42]}
    rules = [{"action": "FailJob", "onExitCodes": codes}]
    await create(cluster, podFailurePolicy={"rules": rules})
    name = running(cluster)[0]["metadata"]["name"]
    await end(cluster, running(cluster)[0], "Failed", 42)
    found = status(cluster)["conditions"][-1]
    assert (found["type"], found["reason"]) == ("Failed", "PodFailurePolicy")
    assert found["message"] == (
        f"Container c for pod default/{name} failed with exit code 42 matching FailJob rule at index 0"
    )
    ignore = [{"action": "Ignore", "onExitCodes": codes}]
    await create(cluster, "calm", backoffLimit=0, podFailurePolicy={"rules": ignore})
    await end(cluster, running(cluster)[0], "Failed", 42)
    assert "failed" not in status(cluster, "calm") or status(cluster, "calm")["failed"] == 0
    assert not conditions(cluster, "calm")


async def test_a_deleted_pod_counts_as_failed(cluster: Any) -> None:
    await create(cluster)
    about = running(cluster)[0]["metadata"]
    await cluster.client.patch(PODS, about["name"], "default", {"spec": {"nodeName": "worker-1"}})
    await cluster.client.delete(PODS, about["name"], "default")
    await cluster.settled()
    assert status(cluster)["failed"] == 1


@pytest.mark.parametrize(
    ("text", "indexes"), [("", set()), ("1", {1}), ("1,2", {1, 2}), ("0-2,5,7,8", {0, 1, 2, 5, 7, 8})]
)
def test_index_sets(text: str, indexes: set[int]) -> None:
    assert _job_indexes.parse(text) == indexes
    assert _job_indexes.format(indexes) == text


def test_a_success_policy_is_met_by_its_indexes() -> None:
    spec: Obj = {
        "completions": 5,
        "successPolicy": {"rules": [{"succeededIndexes": "1-3", "succeededCount": 2}]},
        "template": {"spec": {"restartPolicy": "Never"}},
    }
    job: Obj = {"metadata": {}, "spec": spec}
    now = clock.utc_now()
    assert _job_outcome.decide(job, Standing(), Counts(2, 0, {0, 1}), now) is None
    found = _job_outcome.decide(job, Standing(), Counts(3, 0, {0, 1, 3}), now)
    assert found is not None
    assert (found.reason, found.message) == ("SuccessPolicy", "Matched rules at index 0")


def test_the_wait_doubles_to_ten_minutes() -> None:
    now = clock.utc_now()
    assert [_job_outcome.backoff(n, now, now) for n in (0, 1, 2, 3, 20)] == [0, 10, 20, 40, 600]
