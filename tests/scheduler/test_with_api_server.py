"""The scheduler against the real API server and the controllers; kubelets are played by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.plane import EVENTS, Plane, plane

from kubelearn.api.kinds.persistentvolume import RESOURCE as VOLUMES
from kubelearn.api.kinds.persistentvolumeclaim import RESOURCE as CLAIMS
from kubelearn.api.kinds.priorityclass import RESOURCE as PRIORITIES
from kubelearn.api.kinds.storageclass import RESOURCE as CLASSES
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


def mount(claim: str) -> list[Obj]:
    return [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]


async def make_claim(cluster: Plane, storage_class: str) -> None:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": "1Gi"}},
    }
    await cluster.admin.create(CLAIMS, {"metadata": {"name": "data", "namespace": "shop"}, "spec": spec})


async def make_volume(cluster: Plane, name: str, node: str, size: str, storage_class: str) -> None:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    spec = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "local": {"path": "/data"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
    }
    await cluster.admin.create(VOLUMES, {"metadata": {"name": name}, "spec": spec})


async def message_begins(cluster: Plane, name: str, text: str) -> None:
    async def right() -> bool:
        found = await cluster.admin.get(PODS, name, "shop")
        return any(c.get("message", "").startswith(text) for c in found["status"].get("conditions", ()))

    await cluster.until(right)


async def test_a_pod_waits_for_its_claim_and_the_claim_for_a_volume(cluster: Plane) -> None:
    await make_pod(cluster, "web", volumes=mount("data"))
    await message_begins(cluster, "web", '0/1 nodes are available: persistentvolumeclaim "data" not found.')
    await make_claim(cluster, "manual")
    await message_begins(cluster, "web", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    await make_volume(cluster, "v", "worker-1", "1Gi", "manual")
    await until_pod(cluster, "web", "spec.nodeName", "worker-1")


async def test_the_volume_of_a_late_claim_is_chosen_with_the_node(cluster: Plane) -> None:
    late = {"provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"}
    await cluster.admin.create(CLASSES, {"metadata": {"name": "late"}, **late})
    await make_volume(cluster, "far", "worker-2", "1Gi", "late")
    await make_claim(cluster, "late")
    await make_pod(cluster, "web", volumes=mount("data"))
    await message_begins(
        cluster, "web", "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind."
    )
    await make_volume(cluster, "near", "worker-1", "2Gi", "late")
    bound = await until_pod(cluster, "web", "spec.nodeName", "worker-1")
    assert "nominatedNodeName" not in bound["status"]
    claim = await cluster.admin.get(CLAIMS, "data", "shop")
    assert (claim["spec"]["volumeName"], claim["status"]["phase"]) == ("near", "Bound")
    assert "volume.kubernetes.io/selected-node" not in claim["metadata"]["annotations"]
    near = await cluster.admin.get(VOLUMES, "near")
    assert near["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"] == "yes"
    assert near["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]


async def test_a_provisioner_is_told_the_node_and_waited_for(cluster: Plane) -> None:
    made = {"provisioner": "example.com/disk", "volumeBindingMode": "WaitForFirstConsumer"}
    await cluster.admin.create(CLASSES, {"metadata": {"name": "made"}, **made})
    await make_claim(cluster, "made")
    await make_pod(cluster, "web", volumes=mount("data"))

    async def selected() -> bool:
        found = await cluster.admin.get(CLAIMS, "data", "shop")
        marks = found["metadata"].get("annotations") or {}
        return bool(marks.get("volume.kubernetes.io/selected-node") == "worker-1")

    await cluster.until(selected)
    waiting = await until_pod(cluster, "web", "status.nominatedNodeName", "worker-1")
    assert not waiting["spec"].get("nodeName")
    await make_volume(cluster, "v", "worker-1", "1Gi", "made")
    claim = await cluster.admin.get(CLAIMS, "data", "shop")
    ref = {key: claim["metadata"][key] for key in ("namespace", "name", "uid")}
    await cluster.admin.patch(VOLUMES, "v", "", {"spec": {"claimRef": ref}})
    bound = await until_pod(cluster, "web", "spec.nodeName", "worker-1")
    assert "nominatedNodeName" not in bound["status"]


async def test_a_provisioner_that_gives_up_sends_the_pod_back(cluster: Plane) -> None:
    made = {"provisioner": "example.com/disk", "volumeBindingMode": "WaitForFirstConsumer"}
    await cluster.admin.create(CLASSES, {"metadata": {"name": "made"}, **made})
    await make_claim(cluster, "made")
    await make_pod(cluster, "web", volumes=mount("data"))
    await until_pod(cluster, "web", "status.nominatedNodeName", "worker-1")
    marks = {"volume.kubernetes.io/selected-node": None}

    async def selected() -> bool:
        found = await cluster.admin.get(CLAIMS, "data", "shop")
        return "volume.kubernetes.io/selected-node" in (found["metadata"].get("annotations") or {})

    await cluster.until(selected)
    await cluster.admin.patch(CLAIMS, "data", "shop", {"metadata": {"annotations": marks}})
    said = 'running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "data"'

    async def told() -> bool:
        return said in await cluster.events()

    await message_begins(cluster, "web", said)
    found = await cluster.admin.get(PODS, "web", "shop")
    assert [c["reason"] for c in found["status"]["conditions"]] == ["SchedulerError"]
    assert "nominatedNodeName" not in found["status"]
    await cluster.until(told)
    await cluster.until(selected)
