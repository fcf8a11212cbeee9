"""The OpenAPI documents as they are served: built once, kept as bytes, named by their hash as Kubernetes does."""

from __future__ import annotations

from hashlib import sha512
from typing import Protocol

import orjson

from kubelearn.api import openapi, openapi_protobuf
from kubelearn.api.resource import Resource


class Served(Protocol):
    """What is served now: the registry, mostly."""

    def resources(self) -> list[Resource]: ...
    def structures(self) -> openapi.Custom: ...


class OpenApi:
    def __init__(self, served: Served) -> None:
        self._served = served
        self._documents: dict[str, bytes] = {}
        self._v2: dict[str, bytes] = {}

    def forget(self) -> None:
        """Something else is served now."""
        self._documents.clear()
        self._v2.clear()

    def _paths(self) -> dict[str, tuple[str, str]]:
        """Group and version by path below /openapi/v3/."""
        found = {(r.group, r.version) for r in self._served.resources()}
        return {f"apis/{g}/{v}" if g else f"api/{v}": (g, v) for g, v in sorted(found)}

    def v3_index(self) -> bytes:
        listed = {}
        for path in self._paths():
            digest = sha512(self.v3(path) or b"").hexdigest().upper()
            listed[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
        return orjson.dumps({"paths": listed})

    def v3(self, path: str) -> bytes | None:
        """The document of one group version, None if it is not served."""
        if path not in self._documents:
            found = self._paths().get(path)
            if found is None:
                return None
            self._documents[path] = orjson.dumps(
                openapi.v3(*found, self._served.resources(), self._served.structures())
            )
        return self._documents[path]

    def v2(self, accept: str) -> tuple[bytes, str]:
        """Body and content type: protobuf for kubectl, else JSON."""
        protobuf = openapi_protobuf.ACCEPT in accept or openapi_protobuf.MEDIA_TYPE in accept
        kind = openapi_protobuf.MEDIA_TYPE if protobuf else "application/json"
        if kind not in self._v2:
            document = openapi.v2(self._served.resources(), self._served.structures())
            self._v2[kind] = openapi_protobuf.encode(document) if protobuf else orjson.dumps(document)
        return self._v2[kind], kind
