"""All controllers together against the real API server: identities, causes, the gate, and a whole life."""

from __future__ import annotations

import asyncio

from support.plane import Plane

from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers.base import (
    CONFIGMAPS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    NAMESPACES,
    PODS,
    REPLICASETS,
    SERVICEACCOUNTS,
    SERVICES,
)

EVENTS = Resource("", "v1", "Event", "events", "event", True)
WEB: Obj = {
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:v1", "ports": [{"containerPort": 8080}]}]},
        },
    },
}


async def test_a_whole_life(plane: Plane) -> None:
    await plane.count(SERVICEACCOUNTS, 1)
    await plane.count(CONFIGMAPS, 1)
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    await plane.admin.create(SERVICES, {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
    await plane.admin.create(DEPLOYMENTS, WEB)
    await plane.count(PODS, 3)
    await plane.play_kubelet()

    async def complete() -> bool:
        found = await plane.admin.get(DEPLOYMENTS, "web", "shop")
        told = {c["type"]: c["reason"] for c in found["status"].get("conditions") or []}
        return told.get("Progressing") == "NewReplicaSetAvailable" and found["status"]["availableReplicas"] == 3

    await plane.until(complete)
    found = await plane.admin.get(DEPLOYMENTS, "web", "shop")
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"

    async def served() -> bool:
        return [len(s["endpoints"]) for s in await plane.all(ENDPOINTSLICES)] == [3]

    await plane.until(served)
    messages = await plane.events()
    assert any(m.startswith("Scaled up replica set web-") and m.endswith(" from 0 to 3") for m in messages)
    await plane.admin.delete(DEPLOYMENTS, "web", "shop")
    await plane.count(REPLICASETS, 0)

    async def no_pods() -> bool:
        await plane.play_kubelet()
        return not await plane.all(PODS)

    await plane.until(no_pods)
    await plane.admin.delete(NAMESPACES, "shop")

    async def gone() -> bool:
        names = [n["metadata"]["name"] for n in (await plane.admin.list(NAMESPACES))["items"]]
        return "shop" not in names

    await plane.until(gone)


async def test_the_chain_of_causes_has_no_gap(plane: Plane) -> None:
    await plane.admin.create(DEPLOYMENTS, WEB)
    await plane.count(PODS, 3)
    (rs,) = await plane.all(REPLICASETS)
    pod = (await plane.all(PODS))[0]["metadata"]["name"]
    causes = [
        await plane.cause("/registry/apps/deployments/shop/web"),
        await plane.cause(f"/registry/apps/replicasets/shop/{rs['metadata']['name']}"),
        await plane.cause(f"/registry/pods/shop/{pod}"),
    ]
    assert [c.actor for c in causes] == ["ann", "deployment-controller", "replicaset-controller"]
    assert len({c.trace_id for c in causes}) == 1
    assert causes[2].note["reconcile"] == "0 pods, wants 3 → create 3"
    history = await plane.store.history("/registry/")
    keys = {event.revision: event.kv.key for event in history}
    assert keys[causes[1].parent] == "/registry/apps/deployments/shop/web"
    assert keys[causes[2].parent].startswith("/registry/apps/replicasets/shop/web-")


async def test_a_held_controller_acts_step_by_step_and_makes_nothing_twice(plane: Plane) -> None:
    await plane.count(SERVICEACCOUNTS, 1)
    plane.gate.pause("replicaset-controller")
    await plane.admin.create(DEPLOYMENTS, WEB)
    await plane.count(REPLICASETS, 1)
    await asyncio.sleep(0.1)
    assert await plane.all(PODS) == []
    for _ in range(30):
        plane.gate.step("replicaset-controller")
        await asyncio.sleep(0.01)
    assert len(await plane.all(PODS)) == 3
    plane.gate.resume("replicaset-controller")
    await asyncio.sleep(0.1)
    assert len(await plane.all(PODS)) == 3
