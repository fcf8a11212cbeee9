"""The real API server on a store in memory, with every controller, each as itself; kubelets are played by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver.auth import Authenticator, Authorizer, User
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.rest import Client
from kubelearn.controllers.base import NAMESPACES, PODS, Options
from kubelearn.controllers.manager import Manager
from kubelearn.kit import clock
from kubelearn.kit.tasks import Tasks
from kubelearn.store.memory import MemoryStore
from kubelearn.trace.cause import Cause
from kubelearn.trace.gate import Gate

ADMIN = User("ann", ("system:masters", "system:authenticated"))
EVENTS = Resource("", "v1", "Event", "events", "event", True)


@dataclass
class Plane:
    """`admin` may do everything; the namespace `shop` is there."""

    server: ApiServer
    store: MemoryStore
    gate: Gate
    admin: Client
    manager: Manager

    async def all(self, res: Resource) -> list[Obj]:
        items: list[Obj] = (await self.admin.list(res, "shop"))["items"]
        return items

    async def until(self, true: Callable[[], Awaitable[Any]]) -> None:
        async with asyncio.timeout(5):
            while not await true():
                await asyncio.sleep(0.01)

    async def count(self, res: Resource, number: int) -> None:
        async def right() -> bool:
            return len(await self.all(res)) == number

        await self.until(right)

    async def is_gone(self, resource: Resource, name: str, namespace: str = "") -> bool:
        try:
            await self.admin.get(resource, name, namespace)
        except ApiError as error:
            return error.code == 404
        return False

    async def events(self) -> list[str]:
        return [event["message"] for event in await self.all(EVENTS)]

    async def cause(self, key: str) -> Cause:
        """Of the key's first version."""
        event = (await self.store.history(key))[0]
        found = Cause.decode(event.kv.cause)
        assert found is not None
        return found

    async def play_kubelet(self) -> None:
        """Bind pods, and make them ready; let those go that are to."""
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


@asynccontextmanager
async def plane() -> AsyncIterator[Plane]:
    store, gate = MemoryStore(), Gate()
    await store.open()
    server = ApiServer(store, gate, authenticator=Authenticator({}, "key"), authorizer=Authorizer())
    await server.start()

    def client(name: str) -> Client:
        user = User(f"system:serviceaccount:kube-system:{name}", ("system:authenticated",))
        return Client(server.local(user, "kube-controller-manager"))

    async with Tasks("test") as tasks:
        options = Options(root_ca="PEM", legacy_token=server.authenticator.issue_legacy, namespace_retry=0.05)
        manager = Manager(client, options)
        await manager.start(tasks)
        admin = Client(server.local(ADMIN, "kubectl"))
        await admin.create(NAMESPACES, {"metadata": {"name": "shop"}})
        yield Plane(server, store, gate, admin, manager)
    await server.close()
    await store.close()
