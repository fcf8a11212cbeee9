"""What every answer must be, whatever was asked."""

from __future__ import annotations

import os
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, settings
from support.api import ADMIN

from kubelearn.api.resource import Obj
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.transport import Request, Response

TIMES = int(os.environ.get("KUBELEARN_FUZZ", "1"))
#: Where Kubernetes itself answers 500.
_ITS_OWN = (
    b"failed to create typed patch object", b"failed to create typed live object",
    b"resourceVersion should not be set on objects to be created",
)  # fmt: skip


def tries(number: int) -> settings:
    """A property's settings: `number` examples in CI."""
    return settings(
        max_examples=number * TIMES,
        deadline=None,
        derandomize=TIMES == 1,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def judged(status: int, content: str, body: bytes) -> Any:
    """The object that an answer carries, None if it is a text."""
    assert status in (501, *range(200, 500)) or any(text in body for text in _ITS_OWN), body
    if "yaml" in content:
        body = orjson.dumps(yaml.safe_load(body))
    elif "json" not in content:
        assert status in (200, 404), (status, content, body)
        return None
    found = orjson.loads(body)
    if status >= 400:
        assert (found["kind"], found["apiVersion"], found["status"]) == ("Status", "v1", "Failure"), found
        assert (found["code"], bool(found["message"])) == (status, True), found
    return found


class Fuzzed:
    """A server that is asked odd things."""

    def __init__(self, server: ApiServer, log: pytest.LogCaptureFixture) -> None:
        self.server, self._log = server, log
        self._kept: set[str] = set()

    async def send(self, request: Request) -> Response:
        self._log.clear()
        answer = await self.server.handle(request, ADMIN)
        assert not self._log.records, self._log.text
        if answer.stream is not None:
            await answer.stream.aclose()  # type: ignore[attr-defined]
        return answer

    async def __call__(
        self, method: str, path: str, body: Any = None, query: Any = (), headers: Any = None
    ) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else b"" if body is None else encoded(body)
        answer = await self.send(
            Request(method, path, list(query), {k.lower(): v for k, v in (headers or {}).items()}, data)
        )
        if answer.stream is not None:
            return answer.status, None
        return answer.status, judged(answer.status, answer.headers.get("content-type", ""), answer.body)

    async def clean(self) -> None:
        """What an example made is gone, finalizers or not."""
        found = await self.server.store.range("/registry/")
        if not self._kept:
            self._kept = {kv.key for kv in found.items}
        for kv in found.items:
            if kv.key not in self._kept:
                await self.server.store.delete(kv.key)
        services = [self.server.registry.kinds["", "v1", "services"].resource]
        self.server.services.load([o for r in services for o in await self.server.read_all(r)])


def encoded(body: Any) -> bytes:
    """JSON, with integers of any size (which orjson does not write)."""
    import json

    return json.dumps(body).encode()


def path_of(fuzzed: Fuzzed, obj: Obj, name: str = "", subresource: str = "") -> str:
    """Where the server has objects of this kind."""
    kind = fuzzed.server.registry.by_kind(obj["apiVersion"], obj["kind"])
    assert kind is not None
    namespace = "default" if kind.resource.namespaced else ""
    return kind.resource.path(namespace, name, subresource)
