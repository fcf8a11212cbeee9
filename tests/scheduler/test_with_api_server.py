"""The scheduler against the real API server and the controllers; kubelets are played by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.plane import EVENTS, Plane, plane

from kubelearn.api.kinds.priorityclass import RESOURCE as PRIORITIES
from kubelearn.api.resource import Obj
from kubelearn.apiserver.auth import User
from kubelearn.client.event_series import SeriesRecorder
from kubelearn.client.rest import Client
from kubelearn.controllers.base import PODS
from kubelearn.kit.tasks import Tasks
from kubelearn.scheduler.cycle import NODES, Scheduler


@pytest.fixture
async def cluster() -> AsyncIterator[Plane]:
    """One node, `worker-1`, that can be worked for."""
    async with plane() as made, Tasks("test") as tasks:
        user = User("system:kube-scheduler", ("system:authenticated",))
        client = Client(made.server.local(user, "kube-scheduler"))
        tasks.start(Scheduler(client, SeriesRecorder(client, "default-scheduler")).run(), "scheduler")
        labels = {"kubernetes.io/hostname": "worker-1"}
        await made.admin.create(NODES, {"metadata": {"name": "worker-1", "labels": labels}})
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
        status = {"allocatable": {"cpu": "1", "memory": "4Gi", "pods": "110"}, "conditions": [ready]}
        await made.admin.patch(NODES, "worker-1", "", {"status": status}, subresource="status")
        await made.admin.patch(NODES, "worker-1", "", {"spec": {"taints": None}})
        yield made


async def make_pod(cluster: Plane, name: str, cpu: str = "10m", **spec: Any) -> Obj:
    containers = [{"name": "c", "image": "x", "resources": {"requests": {"cpu": cpu}}}]
    everywhere = [{"operator": "Exists"}]
    made: Obj = await cluster.admin.create(
        PODS,
        {
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"containers": containers, "tolerations": everywhere, **spec},
        },
    )
    return made


async def until_pod(cluster: Plane, name: str, path: str, wanted: str) -> Obj:
    """Until what is at `path` in the pod (two words) starts with `wanted`."""
    part, field = path.split(".")

    async def right() -> bool:
        found = await cluster.admin.get(PODS, name, "shop")
        return str((found.get(part) or {}).get(field) or "").startswith(wanted)

    await cluster.until(right)
    found: Obj = await cluster.admin.get(PODS, name, "shop")
    return found


async def test_preemption(cluster: Plane) -> None:
    await cluster.admin.create(PRIORITIES, {"metadata": {"name": "high"}, "value": 1000})
    await make_pod(cluster, "low", "800m")
    await until_pod(cluster, "low", "spec.nodeName", "worker-1")
    urgent = await make_pod(cluster, "urgent", "800m", priorityClassName="high")
    waiting = await until_pod(cluster, "urgent", "status.nominatedNodeName", "worker-1")
    scheduled = next(c for c in waiting["status"]["conditions"] if c["type"] == "PodScheduled")
    assert scheduled["message"] == "0/1 nodes are available: 1 Insufficient cpu."

    async def preempted() -> list[Obj]:
        return [event for event in await cluster.all(EVENTS) if event["reason"] == "Preempted"]

    await cluster.until(preempted)
    event = (await preempted())[0]
    assert event["message"] == f"Preempted by pod {urgent['metadata']['uid']} on node worker-1"
    assert (event["involvedObject"]["name"], event["related"]["name"]) == ("low", "urgent")
    low = await cluster.admin.get(PODS, "low", "shop")
    assert low["metadata"]["deletionTimestamp"]
    condition = next(c for c in low["status"]["conditions"] if c["type"] == "DisruptionTarget")
    assert (condition["status"], condition["reason"]) == ("True", "PreemptionByScheduler")
    await cluster.admin.delete(PODS, "low", "shop", options={"gracePeriodSeconds": 0})
    bound = await until_pod(cluster, "urgent", "spec.nodeName", "worker-1")
    assert "nominatedNodeName" not in bound["status"]
