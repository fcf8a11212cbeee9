"""ReplicationController: pods by a plain map of labels, counted in its status, adopted and let go."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.controllers.base import PODS
from kubelearn.controllers.replicationcontroller import REPLICATIONCONTROLLERS


def controller(replicas: int) -> Obj:
    template = {"metadata": {"labels": {"app": "old"}}, "spec": {"containers": [{"name": "web", "image": "web:v1"}]}}
    spec = {"replicas": replicas, "selector": {"app": "old"}, "template": template}
    return {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "old", "namespace": "default"},
            "spec": spec}  # fmt: skip


async def test_makes_counts_and_removes_pods(cluster: Any) -> None:
    await cluster.start("replicationcontroller")
    await cluster.client.create(REPLICATIONCONTROLLERS, controller(3))
    await cluster.settled()
    pods = cluster.pods()
    assert len(pods) == 3
    assert {p["metadata"]["ownerReferences"][0]["kind"] for p in pods} == {"ReplicationController"}
    assert sorted(cluster.messages()) == sorted(f"Created pod: {p['metadata']['name']}" for p in pods)
    await cluster.run_pods()
    await cluster.settled()
    status = cluster.get(REPLICATIONCONTROLLERS, "old")["status"]
    counts = ("replicas", "readyReplicas", "availableReplicas", "fullyLabeledReplicas")
    assert [status[name] for name in counts] == [3, 3, 3, 3]
    assert "terminatingReplicas" not in status
    await cluster.client.patch(REPLICATIONCONTROLLERS, "old", "default", {"spec": {"replicas": 1}})
    await cluster.settled()
    assert len(cluster.active()) == 1


async def test_adopts_only_what_its_labels_select(cluster: Any) -> None:
    await cluster.start("replicationcontroller")
    for name in ("old", "new"):
        pod: Obj = {"metadata": {"name": name, "labels": {"app": name}}, "spec": {"containers": [{"name": "c"}]}}
        await cluster.client.create(PODS, pod, "default")
    await cluster.client.create(REPLICATIONCONTROLLERS, controller(1))
    await cluster.settled()
    assert len(cluster.pods()) == 2
    assert cluster.get(PODS, "old")["metadata"]["ownerReferences"][0]["name"] == "old"
    assert not cluster.get(PODS, "new")["metadata"].get("ownerReferences")
    await cluster.client.patch(PODS, "old", "default", {"metadata": {"labels": {"app": "debug"}}})
    await cluster.settled()
    assert len(cluster.pods()) == 3
    assert not cluster.get(PODS, "old")["metadata"].get("ownerReferences")


async def test_an_orphan_that_comes_later_is_counted(cluster: Any) -> None:
    await cluster.start("replicationcontroller")
    await cluster.client.create(REPLICATIONCONTROLLERS, controller(1))
    await cluster.settled()
    late: Obj = {"metadata": {"name": "late", "labels": {"app": "old"}}, "spec": {"containers": [{"name": "c"}]}}
    await cluster.client.create(PODS, late, "default")
    await cluster.settled()
    assert len(cluster.active()) == 1
