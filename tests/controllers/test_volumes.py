"""Claims and volumes find each other, stay while they are used, and part, against the real API server."""

from __future__ import annotations

from typing import Any

import pytest
from support.plane import Plane

from kubelearn.api.kinds.persistentvolume import RESOURCE as VOLUMES
from kubelearn.api.kinds.persistentvolumeclaim import RESOURCE as CLAIMS
from kubelearn.api.kinds.storageclass import RESOURCE as CLASSES
from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers.base import PODS


async def volume(plane: Plane, name: str, size: str = "1Gi", **spec: Any) -> None:
    whole = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "manual",
        "hostPath": {"path": "/tmp/x"},
        **spec,
    }
    await plane.admin.create(VOLUMES, {"metadata": {"name": name, "labels": {"name": name}}, "spec": whole})


async def claim(plane: Plane, size: str = "500Mi", **spec: Any) -> None:
    whole = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "manual",
        "resources": {"requests": {"storage": size}},
        **spec,
    }
    await plane.admin.create(CLAIMS, {"metadata": {"name": "c", "namespace": "shop"}, "spec": whole})


async def reaches(plane: Plane, resource: Resource, name: str, phase: str) -> Obj:
    namespace = "shop" if resource.namespaced else ""

    async def right() -> bool:
        found = await plane.admin.get(resource, name, namespace)
        return bool((found.get("status") or {}).get("phase") == phase)

    await plane.until(right)
    found: Obj = await plane.admin.get(resource, name, namespace)
    return found


async def test_a_claim_is_bound_to_the_smallest_volume_that_will_do(plane: Plane) -> None:
    await volume(plane, "small", "100Mi")
    await volume(plane, "large", "5Gi")
    await volume(plane, "middle", "1Gi")
    await claim(plane)
    bound = await reaches(plane, CLAIMS, "c", "Bound")
    assert bound["spec"]["volumeName"] == "middle"
    assert bound["status"]["capacity"] == {"storage": "1Gi"}
    assert bound["metadata"]["annotations"] == {
        "pv.kubernetes.io/bind-completed": "yes",
        "pv.kubernetes.io/bound-by-controller": "yes",
    }
    found = await reaches(plane, VOLUMES, "middle", "Bound")
    assert found["spec"]["claimRef"]["uid"] == bound["metadata"]["uid"]
    assert (await reaches(plane, VOLUMES, "large", "Available"))["spec"].get("claimRef") is None


@pytest.mark.parametrize(
    "other",
    [{"storageClassName": "other"}, {"accessModes": ["ReadOnlyMany"]}, {"volumeMode": "Block"}, {"capacity": {"storage": "1Mi"}}],
)  # fmt: skip
async def test_a_volume_that_does_not_suit_is_left_alone(plane: Plane, other: dict[str, Any]) -> None:
    await volume(plane, "wrong", **other)
    await claim(plane)
    await reaches(plane, VOLUMES, "wrong", "Available")
    await reaches(plane, CLAIMS, "c", "Pending")
    await volume(plane, "right")
    assert (await reaches(plane, CLAIMS, "c", "Bound"))["spec"]["volumeName"] == "right"


async def test_a_selector_chooses(plane: Plane) -> None:
    await volume(plane, "a")
    await volume(plane, "b")
    await claim(plane, selector={"matchLabels": {"name": "b"}})
    assert (await reaches(plane, CLAIMS, "c", "Bound"))["spec"]["volumeName"] == "b"


async def test_a_volume_of_a_lost_claim_is_released_and_may_go(plane: Plane) -> None:
    await volume(plane, "v")
    await claim(plane)
    await reaches(plane, CLAIMS, "c", "Bound")
    await plane.admin.delete(VOLUMES, "v")
    await plane.admin.delete(CLAIMS, "c", "shop")
    await plane.until(lambda: plane.is_gone(CLAIMS, "c", "shop"))
    await plane.until(lambda: plane.is_gone(VOLUMES, "v"))


async def test_a_retained_volume_is_not_given_to_the_next_claim(plane: Plane) -> None:
    await volume(plane, "v")
    await claim(plane)
    await reaches(plane, CLAIMS, "c", "Bound")
    await plane.admin.delete(CLAIMS, "c", "shop")
    await reaches(plane, VOLUMES, "v", "Released")
    await claim(plane)
    await plane.manager.settled()
    await reaches(plane, CLAIMS, "c", "Pending")


async def test_a_claim_in_use_stays_until_the_pod_has_gone(plane: Plane) -> None:
    await volume(plane, "v")
    await claim(plane)
    await reaches(plane, CLAIMS, "c", "Bound")
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}]
    spec = {"containers": [{"name": "c", "image": "web:v1"}], "volumes": volumes}
    await plane.admin.create(PODS, {"metadata": {"name": "p", "namespace": "shop"}, "spec": spec})
    await plane.play_kubelet()
    await plane.admin.delete(CLAIMS, "c", "shop")
    await plane.manager.settled()
    assert not await plane.is_gone(CLAIMS, "c", "shop")
    await plane.admin.delete(PODS, "p", "shop", options={"gracePeriodSeconds": 0})
    await plane.until(lambda: plane.is_gone(CLAIMS, "c", "shop"))


async def test_a_claim_without_a_volume_is_told_why(plane: Plane) -> None:
    await claim(plane, storageClassName="")
    await reaches(plane, CLAIMS, "c", "Pending")
    await plane.manager.settled()
    assert await plane.events() == ["no persistent volumes available for this claim and no storage class is set"]


async def test_a_class_may_wait_for_the_first_consumer(plane: Plane) -> None:
    late = {"metadata": {"name": "late"}, "provisioner": "kubernetes.io/no-provisioner"}
    await plane.admin.create(CLASSES, {**late, "volumeBindingMode": "WaitForFirstConsumer"})
    await volume(plane, "v", storageClassName="late")
    await claim(plane, storageClassName="late")
    await reaches(plane, CLAIMS, "c", "Pending")
    await plane.manager.settled()
    assert await plane.events() == ["waiting for first consumer to be created before binding"]
    reserved = {"spec": {"claimRef": {"namespace": "shop", "name": "c"}}}
    await plane.admin.patch(VOLUMES, "v", "", reserved)
    await reaches(plane, CLAIMS, "c", "Bound")
