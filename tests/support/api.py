"""Requests to an API server in the same process, and the small objects that its tests send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson

from kubelearn.api.resource import Obj
from kubelearn.apiserver.auth import User
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.transport import Request, Response

ADMIN = User("ann", ("system:masters", "system:authenticated"))
NS = "/api/v1/namespaces/default"
TOKEN = "the-admin-token"


class Api:
    """Requests as ADMIN unless told otherwise; answers as (status, object)."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server

    async def send(
        self, method: str, path: str, body: Any = None, *, user: User = ADMIN, headers: dict[str, str] | None = None
    ) -> Response:
        path, _, text = path.partition("?")
        query = [(k, v) for k, _, v in (pair.partition("=") for pair in text.split("&") if pair)]
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return await self.server.handle(Request(method, path, query, headers or {}, data), user)

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        answer = await self.send(method, path, body, **options)
        assert answer.stream is None
        return answer.status, orjson.loads(answer.body)

    async def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        status, found = await self(method, path, body, **options)
        assert status < 300, found
        return found

    async def patch(self, path: str, body: Any, kind: str = "merge", **options: Any) -> tuple[int, Any]:
        headers = {"content-type": f"application/{kind}-patch+json"}
        return await self("PATCH", path, body, headers=headers, **options)

    async def watch(self, path: str, **options: Any) -> AsyncIterator[Obj]:
        """Events, as they come; `aclose` it."""
        answer = await self.send("GET", path + ("&" if "?" in path else "?") + "watch=1", **options)
        assert answer.stream is not None, answer.body
        try:
            async for line in answer.stream:
                yield orjson.loads(line)
        finally:
            await answer.stream.aclose()  # type: ignore[attr-defined]

    async def account(self, namespace: str = "default") -> Obj:
        """The ServiceAccount that a controller would make, which pods need."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        found: Obj = await self.ok("POST", path, {"metadata": {"name": "default"}})
        return found


def configmap(name: str = "c", labels: dict[str, str] | None = None, **data: str) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels or {}}, "data": data}


def pod(name: str = "p", **spec: Any) -> Obj:
    containers = [{"name": "c", "image": "web:v1"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers, **spec}}
