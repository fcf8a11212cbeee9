"""Deployment: rolling update, recreate, scaling, pause, history, and Kubernetes' conditions and events."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubelearn.api.resource import Obj
from kubelearn.controllers import _deployment_math as math
from kubelearn.controllers.base import DEPLOYMENTS, REPLICASETS


def deployment(replicas: int = 3, **spec: Any) -> Obj:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:v1"}]}}
    body = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": body}


def image(tag: str) -> Obj:
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": f"web:{tag}"}]}}}}


def conditions(obj: Obj) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c["reason"]) for c in obj["status"]["conditions"]}


async def settle(cluster: Any) -> None:
    """Let pods come up and go until nothing changes any more."""
    while True:
        before = cluster.api.revision
        await cluster.settled()
        await cluster.run_pods()
        await cluster.settled()
        if cluster.api.revision == before:
            return


def by_revision(cluster: Any) -> dict[str, int]:
    """ReplicaSets' sizes by their revision."""
    key = "deployment.kubernetes.io/revision"
    return {rs["metadata"]["annotations"][key]: rs["spec"]["replicas"] for rs in cluster.all(REPLICASETS)}


async def test_first_rollout(cluster: Any) -> None:
    await cluster.start("deployment", "replicaset")
    await cluster.client.create(DEPLOYMENTS, deployment())
    await cluster.settled()
    (rs,) = cluster.all(REPLICASETS)
    name = rs["metadata"]["name"]
    hash_label = rs["metadata"]["labels"]["pod-template-hash"]
    assert name == f"web-{hash_label}"
    assert rs["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": hash_label}
    assert f"Scaled up replica set {name} from 0 to 3" in cluster.messages()
    found = cluster.get(DEPLOYMENTS, "web")
    assert conditions(found) == {
        "Available": ("False", "MinimumReplicasUnavailable"),
        "Progressing": ("True", "ReplicaSetUpdated"),
    }
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    await settle(cluster)
    found = cluster.get(DEPLOYMENTS, "web")
    assert conditions(found) == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    told = next(c["message"] for c in found["status"]["conditions"] if c["type"] == "Progressing")
    assert told == f'ReplicaSet "{name}" has successfully progressed.'
    status = found["status"]
    assert (status["replicas"], status["updatedReplicas"], status["availableReplicas"]) == (3, 3, 3)
    assert "unavailableReplicas" not in status


async def test_rolling_update_keeps_its_bounds(cluster: Any) -> None:
    await cluster.start("deployment", "replicaset")
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    await cluster.client.create(DEPLOYMENTS, deployment(4, strategy=rolling))
    await settle(cluster)
    await cluster.client.patch(DEPLOYMENTS, "web", "default", image("v2"))
    for _ in range(20):
        await cluster.settled()
        sizes = [rs["spec"]["replicas"] for rs in cluster.all(REPLICASETS)]
        assert 3 <= sum(sizes) <= 5
        if sizes == [0, 4]:
            break
        await cluster.run_pods()
    await settle(cluster)
    assert by_revision(cluster) == {"1": 0, "2": 4}
    assert {p["spec"]["containers"][0]["image"] for p in cluster.pods()} == {"web:v2"}


async def test_a_broken_version_stops_halfway_and_can_be_undone(cluster: Any) -> None:
    await cluster.start("deployment", "replicaset")
    await cluster.client.create(DEPLOYMENTS, deployment(4, progressDeadlineSeconds=1))
    await settle(cluster)
    first = copy.deepcopy(cluster.get(DEPLOYMENTS, "web")["spec"]["template"])
    await cluster.client.patch(DEPLOYMENTS, "web", "default", image("broken"))
    await cluster.settled()
    assert by_revision(cluster) == {"1": 3, "2": 2}
    await cluster.until(
        lambda: conditions(cluster.get(DEPLOYMENTS, "web"))["Progressing"] == ("False", "ProgressDeadlineExceeded")
    )
    await cluster.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"template": first}})
    await settle(cluster)
    assert by_revision(cluster) == {"2": 0, "3": 4}
    old = next(rs for rs in cluster.all(REPLICASETS) if rs["spec"]["replicas"])
    assert old["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"


async def test_recreate_waits_for_the_last_old_pod(cluster: Any) -> None:
    await cluster.start("deployment", "replicaset")
    await cluster.client.create(DEPLOYMENTS, deployment(2, strategy={"type": "Recreate"}))
    await settle(cluster)
    await cluster.client.patch(DEPLOYMENTS, "web", "default", image("v2"))
    await cluster.settled()
    assert len(cluster.pods()) == 2
    assert not cluster.active()
    assert len(cluster.all(REPLICASETS)) == 1
    await settle(cluster)
    assert by_revision(cluster) == {"1": 0, "2": 2}


async def test_scaling_in_mid_rollout_is_shared_out(cluster: Any) -> None:
    await cluster.start("deployment", "replicaset")
    await cluster.client.create(DEPLOYMENTS, deployment(10))
    await settle(cluster)
    await cluster.client.patch(DEPLOYMENTS, "web", "default", image("v2"))
    await cluster.settled()
    assert by_revision(cluster) == {"1": 8, "2": 5}
    await cluster.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 20}})
    await cluster.settled()
    assert sum(by_revision(cluster).values()) == 25
    assert by_revision(cluster) == {"1": 15, "2": 10}


async def test_a_paused_deployment_takes_no_new_template_but_scales(cluster: Any) -> None:
    await cluster.start("deployment", "replicaset")
    await cluster.client.create(DEPLOYMENTS, deployment(2))
    await settle(cluster)
    await cluster.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"paused": True}})
    await cluster.client.patch(DEPLOYMENTS, "web", "default", image("v2"))
    await cluster.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 3}})
    await settle(cluster)
    assert by_revision(cluster) == {"1": 3}
    assert conditions(cluster.get(DEPLOYMENTS, "web"))["Progressing"] == ("Unknown", "DeploymentPaused")
    await cluster.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"paused": None}})
    await settle(cluster)
    assert by_revision(cluster) == {"1": 0, "2": 3}


async def test_old_revisions_beyond_the_limit_are_deleted(cluster: Any) -> None:
    await cluster.start("deployment", "replicaset")
    await cluster.client.create(DEPLOYMENTS, deployment(1, revisionHistoryLimit=1))
    for tag in ("v2", "v3", "v4"):
        await settle(cluster)
        await cluster.client.patch(DEPLOYMENTS, "web", "default", image(tag))
    await settle(cluster)
    assert by_revision(cluster) == {"3": 0, "4": 1}


async def test_scaling_says_so_and_keeps_the_revision(cluster: Any) -> None:
    await cluster.start("deployment", "replicaset")
    await cluster.client.create(DEPLOYMENTS, deployment(1))
    await settle(cluster)
    (rs,) = cluster.all(REPLICASETS)
    await cluster.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 4}})
    await settle(cluster)
    assert f"Scaled up replica set {rs['metadata']['name']} from 1 to 4" in cluster.messages()
    assert by_revision(cluster) == {"1": 4}


async def test_a_restarted_manager_does_nothing_to_a_finished_rollout(cluster: Any) -> None:
    await cluster.start("deployment", "replicaset")
    await cluster.client.create(DEPLOYMENTS, deployment(2))
    await settle(cluster)
    await cluster.tasks.close()
    before = cluster.api.revision
    await cluster.start("deployment", "replicaset")
    assert cluster.api.revision == before


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (3, "25%", "25%", (1, 0)),
        (1, "0%", "25%", (0, 1)),
        (4, 1, 0, (1, 0)),
        (2, 5, 9, (5, 2)),
    ],
)
def test_limits(replicas: int, surge: Any, unavailable: Any, expected: tuple[int, int]) -> None:
    rolling = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    assert math.limits(deployment(replicas, strategy=rolling)) == expected
