"""ReplicaSet: sizes, adoption, deletion order, conditions; and that a held one does not repeat itself."""

from __future__ import annotations

import asyncio
from typing import Any

from kubelearn.api import errors
from kubelearn.api.resource import Obj
from kubelearn.client.transport import Request
from kubelearn.controllers.base import PODS, REPLICASETS


def replicaset(replicas: int = 3, **spec: Any) -> Obj:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:v1"}]}}
    body = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": body}


async def test_makes_and_removes_pods(cluster: Any) -> None:
    await cluster.start("replicaset")
    await cluster.client.create(REPLICASETS, replicaset())
    await cluster.settled()
    pods = cluster.pods()
    assert len(pods) == 3
    assert all(p["metadata"]["name"].startswith("web-") for p in pods)
    assert sorted(cluster.messages()) == sorted(f"Created pod: {p['metadata']['name']}" for p in pods)
    await cluster.run_pods()
    await cluster.settled()
    status = cluster.get(REPLICASETS, "web")["status"]
    assert (status["replicas"], status["readyReplicas"], status["availableReplicas"]) == (3, 3, 3)
    assert status["fullyLabeledReplicas"] == 3
    await cluster.client.patch(REPLICASETS, "web", "default", {"spec": {"replicas": 1}})
    await cluster.settled()
    assert len(cluster.active()) == 1
    status = cluster.get(REPLICASETS, "web")["status"]
    assert (status["replicas"], status["terminatingReplicas"]) == (1, 2)


async def test_the_cause_of_a_pod_is_the_revision_that_asked_for_it(cluster: Any) -> None:
    await cluster.start("replicaset")
    made = await cluster.client.create(REPLICASETS, replicaset(1))
    await cluster.settled()
    revision = int(cluster.pods()[0]["metadata"]["resourceVersion"])
    user, acting = cluster.api.causes[revision]
    assert user == "replicaset-controller"
    assert acting.revision == int(made["metadata"]["resourceVersion"])
    assert acting.note["reconcile"] == "0 pods, wants 1 → create 1"


async def test_a_terminating_pod_counts_as_gone(cluster: Any) -> None:
    await cluster.start("replicaset")
    await cluster.client.create(REPLICASETS, replicaset(2))
    await cluster.settled()
    await cluster.run_pods()
    victim = cluster.pods()[0]["metadata"]["name"]
    await cluster.client.delete(PODS, victim, "default")
    await cluster.settled()
    assert len(cluster.pods()) == 3
    assert len(cluster.active()) == 2


async def test_adopts_orphans_and_lets_go_of_what_no_longer_matches(cluster: Any) -> None:
    await cluster.start("replicaset")
    orphan: Obj = {"metadata": {"name": "lost", "labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}
    await cluster.client.create(PODS, orphan, "default")
    await cluster.client.create(REPLICASETS, replicaset(2))
    await cluster.settled()
    assert len(cluster.pods()) == 2
    assert cluster.get(PODS, "lost")["metadata"]["ownerReferences"][0]["name"] == "web"
    await cluster.client.patch(PODS, "lost", "default", {"metadata": {"labels": {"app": "debug"}}})
    await cluster.settled()
    assert len(cluster.pods()) == 3
    assert not cluster.get(PODS, "lost")["metadata"].get("ownerReferences")


async def test_pods_that_are_refused_are_told_and_tried_again(cluster: Any) -> None:
    def refuse(request: Request) -> errors.ApiError | None:
        if request.method == "POST" and request.path.endswith("/pods"):
            return errors.forbidden(PODS, "", "exceeded quota")
        return None

    await cluster.start("replicaset")
    cluster.api.refuse = refuse
    await cluster.client.create(REPLICASETS, replicaset(8))
    await cluster.until(lambda: cluster.get(REPLICASETS, "web").get("status", {}).get("conditions"))
    condition = cluster.get(REPLICASETS, "web")["status"]["conditions"][0]
    assert (condition["type"], condition["reason"]) == ("ReplicaFailure", "FailedCreate")
    assert "Error creating: pods is forbidden: exceeded quota" in cluster.messages()
    cluster.api.refuse = lambda _request: None
    await cluster.until(lambda: len(cluster.pods()) == 8)
    await cluster.settled()
    assert not cluster.get(REPLICASETS, "web")["status"].get("conditions")


async def test_a_held_controller_sees_its_own_writes(cluster: Any) -> None:
    """The gate delivers one event at a time: between them no pod may be made twice."""
    await cluster.start("replicaset")
    await cluster.client.create(REPLICASETS, replicaset(3))
    await cluster.until(lambda: len(cluster.pods()) == 3)
    cluster.api.held.add("replicaset-controller")
    await cluster.settled()
    await cluster.client.patch(REPLICASETS, "web", "default", {"spec": {"replicas": 5}})
    await cluster.run_pods()
    assert len(cluster.pods()) == 3
    await cluster.api.release("replicaset-controller")
    await cluster.settled()
    assert len(cluster.pods()) == 5


async def test_first_to_go_is_what_is_missed_least(cluster: Any) -> None:
    await cluster.start("replicaset")
    await cluster.client.create(REPLICASETS, replicaset(2))
    await cluster.settled()
    await cluster.run_pods()
    running = {p["metadata"]["name"] for p in cluster.pods()}
    await cluster.client.patch(REPLICASETS, "web", "default", {"spec": {"replicas": 4}})
    await cluster.settled()
    await cluster.client.patch(REPLICASETS, "web", "default", {"spec": {"replicas": 2}})
    await cluster.settled()
    assert {p["metadata"]["name"] for p in cluster.active()} == running


async def test_min_ready_seconds_delays_availability(cluster: Any) -> None:
    await cluster.start("replicaset")
    await cluster.client.create(REPLICASETS, replicaset(1, minReadySeconds=1))
    await cluster.settled()
    await cluster.run_pods()
    await cluster.settled()
    status = cluster.get(REPLICASETS, "web")["status"]
    assert status["readyReplicas"] == 1
    await cluster.until(lambda: cluster.get(REPLICASETS, "web")["status"].get("availableReplicas") == 1)
    await asyncio.sleep(0)
