"""All controllers together against the real API server: identities, causes, the gate, and a whole life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver.auth import Authenticator, Authorizer, User
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.rest import Client
from kubelearn.controllers.base import (
    CONFIGMAPS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    NAMESPACES,
    PODS,
    REPLICASETS,
    SERVICEACCOUNTS,
    SERVICES,
    Options,
)
from kubelearn.controllers.manager import Manager
from kubelearn.kit import clock
from kubelearn.kit.tasks import Tasks
from kubelearn.store.memory import MemoryStore
from kubelearn.trace.cause import Cause
from kubelearn.trace.gate import Gate

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


@dataclass
class Plane:
    store: MemoryStore
    gate: Gate
    admin: Client
    manager: Manager

    async def all(self, res: Resource) -> list[Obj]:
        items: list[Obj] = (await self.admin.list(res, "shop"))["items"]
        return items

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(5):
            while not await true():
                await asyncio.sleep(0.01)

    async def count(self, res: Resource, number: int) -> None:
        async def right() -> bool:
            return len(await self.all(res)) == number

        await self.until(right)

    async def cause(self, key: str) -> Cause:
        """Of the key's first version."""
        event = (await self.store.history(key))[0]
        found = Cause.decode(event.kv.cause)
        assert found is not None
        return found

    async def play_kubelet(self) -> None:
        for number, pod in enumerate(await self.all(PODS)):
            name = pod["metadata"]["name"]
            if "deletionTimestamp" in pod["metadata"]:
                await self.admin.delete(PODS, name, "shop", options={"gracePeriodSeconds": 0})
                continue
            if not pod["spec"].get("nodeName"):
                target = {"kind": "Node", "name": "worker-1"}
                body = {"metadata": {"name": name}, "target": target}
                await self.admin.create(PODS, body, "shop", subresource="binding", name=name)
            at = clock.rfc3339(clock.utc_now())
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": at}
            status = {"phase": "Running", "podIP": f"10.1.0.{number + 2}", "conditions": [ready]}
            await self.admin.patch(PODS, name, "shop", {"status": status}, subresource="status")


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    store, gate = MemoryStore(), Gate()
    await store.open()
    server = ApiServer(store, gate, authenticator=Authenticator({}, "key"), authorizer=Authorizer())
    await server.start()

    def client(name: str) -> Client:
        user = User(f"system:serviceaccount:kube-system:{name}", ("system:authenticated",))
        return Client(server.local(user, "kube-controller-manager"))

    async with Tasks("test") as tasks:
        manager = Manager(client, Options(root_ca="PEM", namespace_retry=0.05))
        await manager.start(tasks)
        admin = Client(server.local(User("ann", ("system:masters", "system:authenticated")), "kubectl"))
        await admin.create(NAMESPACES, {"metadata": {"name": "shop"}})
        yield Plane(store, gate, admin, manager)
    await server.close()
    await store.close()


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
    messages = [event["message"] for event in await plane.all(EVENTS)]
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
