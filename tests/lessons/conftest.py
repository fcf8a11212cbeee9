"""A real API server in this process, and one Node object that says which engine runs its containers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.api import ADMIN, Api

from kubelearn.apiserver.auth import Authenticator, Authorizer
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.discovery import discover
from kubelearn.client.rest import Client
from kubelearn.lessons.check_type import CheckContext
from kubelearn.store.memory import MemoryStore
from kubelearn.trace.gate import Gate


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    store = MemoryStore()
    await store.open()
    server = ApiServer(store, Gate(), authenticator=Authenticator({}, "a secret"), authorizer=Authorizer())
    await server.start()
    yield server
    await server.close()
    await store.close()


@pytest.fixture
async def api(server: ApiServer) -> Api:
    api = Api(server)
    await add_node(api, "worker-1")
    return api


@pytest.fixture
async def client(server: ApiServer, api: Api) -> Client:
    return Client(server.local(ADMIN, "test"))


@pytest.fixture
async def context(client: Client) -> CheckContext:
    return CheckContext(client, await discover(client))


async def add_node(api: Api, name: str, engine: str = "process") -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
    await api.ok("POST", "/api/v1/nodes", node)
    status = {"status": {"nodeInfo": {"containerRuntimeVersion": f"{engine}://kubelearn"}}}
    code, answer = await api.patch(f"/api/v1/nodes/{name}/status", status)
    assert code == 200, answer
