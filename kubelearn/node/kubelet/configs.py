"""ConfigMaps, Secrets and tokens for the pods of this node, fetched when a pod needs them.

Pods that start together share one request: what was fetched less than a moment ago is used again.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.rest import Client
from kubelearn.node.resources import CONFIGMAPS, SECRETS, SERVICE_ACCOUNTS

_FRESH_SECONDS = 1.0
Data = Mapping[str, bytes]


class Configs:
    """`lookup` and `token` are what `env` and `volumes` ask for; both raise ApiError and TransportError."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._found: dict[tuple[str, str, str], tuple[float, Data | None]] = {}
        self._locks: dict[tuple[str, str, str], asyncio.Lock] = {}

    async def lookup(self, namespace: str, kind: str, name: str) -> Data | None:
        key = (namespace, kind, name)
        async with self._locks.setdefault(key, asyncio.Lock()):
            self._prune()
            if key not in self._found:
                self._found[key] = (time.monotonic(), await self._fetch(namespace, kind, name))
            return self._found[key][1]

    def _prune(self) -> None:
        oldest = time.monotonic() - _FRESH_SECONDS
        for key in [k for k, (at, _) in self._found.items() if at < oldest]:
            del self._found[key]
            if not self._locks[key].locked():
                del self._locks[key]

    async def _fetch(self, namespace: str, kind: str, name: str) -> Data | None:
        try:
            obj = await self._client.get(CONFIGMAPS if kind == "configmap" else SECRETS, name, namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        text, binary = obj.get("data") or {}, obj.get("binaryData") or {}
        if kind == "secret":
            return {k: base64.b64decode(v) for k, v in text.items()}
        return {k: v.encode() for k, v in text.items()} | {k: base64.b64decode(v) for k, v in binary.items()}

    async def find(self, resource: Resource, name: str, namespace: str) -> Obj | None:
        """As it is now; None if there is no such object."""
        try:
            return await self._client.get(resource, name, namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def token(self, pod: Obj, audience: str, seconds: int) -> str:
        """Bound to the pod: it is worth nothing once the pod is gone."""
        meta = pod["metadata"]
        account = pod["spec"].get("serviceAccountName") or "default"
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [audience] if audience else [],
                "expirationSeconds": seconds,
                "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]},
            },
        }
        answer = await self._client.create(
            SERVICE_ACCOUNTS, request, meta["namespace"], subresource="token", name=account
        )
        token: str = answer["status"]["token"]
        return token
