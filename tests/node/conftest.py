"""A whole node in one process: the real API server, the process engine's runtime behind the real gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver.auth import Authenticator, Authorizer, User
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.http import HttpTransport
from kubelearn.client.rest import Client
from kubelearn.engines.base import ClusterSpec
from kubelearn.engines.gateway import Gateway
from kubelearn.engines.process import ProcessEngine
from kubelearn.kit.tasks import Tasks
from kubelearn.node.config import NodeConfig
from kubelearn.node.cri_client import CriClient
from kubelearn.node.kubelet.agent import Kubelet
from kubelearn.node.resources import PODS, SERVICE_ACCOUNTS
from kubelearn.store.memory import MemoryStore
from kubelearn.trace.gate import Gate

NODE = "worker-1"
OCTET = 99  # clusters take 244 down to 101
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", "namespace", False)
_USER = User(f"system:node:{NODE}", ("system:nodes", "system:authenticated"))


@dataclass
class Node:
    """`admin` is a person; `start` runs a kubelet until `stop`."""

    admin: Client
    client: Client
    cri: CriClient
    config: NodeConfig
    tasks: Tasks
    kubelet: Kubelet | None = None

    async def start(self) -> Kubelet:
        self.tasks = Tasks(NODE)
        self.kubelet = Kubelet(self.config, self.client, self.cri, self.tasks)
        await self.kubelet.run()
        return self.kubelet

    async def stop(self) -> None:
        await self.tasks.close()

    async def create(self, name: str, *containers: dict[str, Any], **spec: Any) -> Obj:
        """A pod bound to this node, without a service account's token."""
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {
                "nodeName": NODE,
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 2,
                "containers": list(containers),
                **spec,
            },
        }
        return await self.admin.create(PODS, body, "default")

    async def pod(self, name: str) -> Obj:
        return await self.admin.get(PODS, name, "default")

    async def until(self, name: str, look: Callable[[Obj], Any], seconds: float = 10) -> Obj:
        """The pod once `look` likes it; by its watch, not by asking again."""
        pod: Obj = {}
        try:
            async with asyncio.timeout(seconds):
                pod = await self.pod(name)
                if look(pod):
                    return pod
                version = pod["metadata"]["resourceVersion"]
                async for event in self.admin.watch(
                    PODS, "default", resource_version=version, field_selector=f"metadata.name={name}"
                ):
                    pod = event.object
                    if look(pod):
                        return pod
        except TimeoutError:
            raise AssertionError(f"never came true; last: {pod.get('status')}") from None
        raise AssertionError("the watch ended")

    async def gone(self, name: str, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while True:
                found = await self.admin.list(PODS, "default", field_selector=f"metadata.name={name}")
                if not found["items"]:
                    return
                await asyncio.sleep(0.02)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    engine = ProcessEngine(ClusterSpec("t", tmp_path, OCTET))
    folder = tmp_path / "nodes" / NODE
    folder.mkdir(parents=True)
    (folder / "machine.json").write_text('{"index": 1, "pid": 0, "start": ""}')
    await engine.open()
    store = MemoryStore()
    await store.open()
    server = ApiServer(store, Gate(), authenticator=Authenticator({}, "key"), authorizer=Authorizer())
    await server.start()
    gateway = Gateway(engine)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await gateway.handle(request, _USER)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    transport = HttpTransport(f"http://127.0.0.1:{runner.addresses[0][1]}")
    admin = Client(server.local(User("admin", ("system:masters",)), "test"))
    config = NodeConfig(
        folder,
        NODE,
        "",
        f"10.{OCTET}.1.0/24",
        f"10.{OCTET}.0.2",
        underlay=engine.underlay,
        capacity={"cpu": "2", "memory": "4Gi", "pods": "110"},
        heartbeat_seconds=0.2,
    )
    for name in ("default", "kube-node-lease"):
        await _ensure(admin, NAMESPACES, name)
    await _ensure(admin, SERVICE_ACCOUNTS, "default", "default")
    made = Node(admin, Client(server.local(_USER, "kubelet")), CriClient(transport), config, Tasks("idle"))
    try:
        yield made
    finally:
        await made.stop()
        await transport.close()
        await runner.cleanup()
        await engine.destroy()
        await engine.close()
        await server.close()
        await store.close()


async def _ensure(admin: Client, resource: Resource, name: str, namespace: str = "") -> None:
    body = {"apiVersion": "v1", "kind": resource.kind, "metadata": {"name": name}}
    try:
        await admin.create(resource, body, namespace)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
