"""StatefulSets: names that last, order, roll-outs from the end, and what a partition holds back."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.controllers.base import PODS
from kubelearn.controllers.statefulset import STATEFULSETS


async def create(cluster: Any, **spec: Any) -> None:
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": "db:1"}]}}
    selector = {"matchLabels": {"app": "db"}}
    body = {
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {"serviceName": "db", "replicas": 2, "selector": selector, "template": template, **spec},
    }
    await cluster.start("statefulset")
    await cluster.client.create(STATEFULSETS, body, "default")
    await cluster.settled()


async def run(cluster: Any) -> None:
    """Let kubelets work until nothing changes any more."""
    before = -1
    while before != cluster.api.revision:
        before = cluster.api.revision
        await cluster.run_pods()
        await cluster.settled()


def pods(cluster: Any) -> dict[str, Obj]:
    return {p["metadata"]["name"]: p for p in cluster.active()}


def images(cluster: Any) -> list[str]:
    return [p["spec"]["containers"][0]["image"] for _, p in sorted(pods(cluster).items())]


def status(cluster: Any) -> Obj:
    found: Obj = cluster.get(STATEFULSETS, "db")["status"]
    return found


async def test_pods_come_in_order_with_names_that_last(cluster: Any) -> None:
    await create(cluster)
    assert list(pods(cluster)) == ["db-0"], "the second waits for the first"
    await run(cluster)
    second = pods(cluster)["db-1"]
    labels = second["metadata"]["labels"]
    assert (labels["apps.kubernetes.io/pod-index"], labels["statefulset.kubernetes.io/pod-name"]) == ("1", "db-1")
    assert (second["spec"]["hostname"], second["spec"]["subdomain"]) == ("db-1", "db")
    found = status(cluster)
    assert (found["replicas"], found["readyReplicas"], found["currentReplicas"], found["updatedReplicas"]) == (
        2,
        2,
        2,
        2,
    )
    assert found["currentRevision"] == found["updateRevision"] == labels["controller-revision-hash"]
    await cluster.client.delete(PODS, "db-0", "default")
    await run(cluster)
    assert set(pods(cluster)) == {"db-0", "db-1"}
    assert "create Pod db-0 in StatefulSet db successful" in cluster.messages()


async def test_scaling_down_removes_from_the_end_one_by_one(cluster: Any) -> None:
    await create(cluster, replicas=3)
    await run(cluster)
    await cluster.client.patch(STATEFULSETS, "db", "default", {"spec": {"replicas": 1}})
    await cluster.settled()
    assert set(pods(cluster)) == {"db-0", "db-1"}
    await run(cluster)
    assert set(pods(cluster)) == {"db-0"}


async def test_parallel_does_not_wait(cluster: Any) -> None:
    await create(cluster, replicas=3, podManagementPolicy="Parallel")
    assert set(pods(cluster)) == {"db-0", "db-1", "db-2"}


async def test_a_roll_out_goes_from_the_end_and_an_undo_reuses_its_revision(cluster: Any) -> None:
    await create(cluster, replicas=3)
    await run(cluster)
    first = status(cluster)["currentRevision"]
    change: Any = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "db:2"}]}}}}
    await cluster.client.patch(STATEFULSETS, "db", "default", change)
    await cluster.settled()
    assert set(pods(cluster)) == {"db-0", "db-1"}
    await run(cluster)
    assert images(cluster) == ["db:2"] * 3
    assert status(cluster)["currentRevision"] == status(cluster)["updateRevision"] != first
    change["spec"]["template"]["spec"]["containers"][0]["image"] = "db:1"
    await cluster.client.patch(STATEFULSETS, "db", "default", change)
    await run(cluster)
    assert images(cluster) == ["db:1"] * 3
    assert status(cluster)["currentRevision"] == first


async def test_a_partition_holds_back(cluster: Any) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    await create(cluster, updateStrategy=strategy)
    await run(cluster)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "db:2"}]}}}}
    await cluster.client.patch(STATEFULSETS, "db", "default", change)
    await run(cluster)
    assert images(cluster) == ["db:1", "db:2"]
    await cluster.client.delete(PODS, "db-0", "default")
    await run(cluster)
    assert images(cluster) == ["db:1", "db:2"], "below the partition the old template comes back"


async def test_claims_are_made_and_outlive_their_pod(cluster: Any) -> None:
    from kubelearn.controllers._stateful_pods import CLAIMS

    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    await create(cluster, volumeClaimTemplates=[claim])
    await run(cluster)
    assert {c["metadata"]["name"] for c in cluster.all(CLAIMS)} == {"data-db-0", "data-db-1"}
    assert pods(cluster)["db-1"]["spec"]["volumes"][-1]["persistentVolumeClaim"]["claimName"] == "data-db-1"
    await cluster.client.patch(STATEFULSETS, "db", "default", {"spec": {"replicas": 0}})
    await run(cluster)
    assert not pods(cluster)
    assert len(cluster.all(CLAIMS)) == 2
