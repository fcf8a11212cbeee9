"""Paths that are no resources: health, version, discovery, OpenAPI, metrics."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import orjson

from kubelearn.apiserver import discovery, health, keys
from kubelearn.apiserver.answers import JSON, json_response
from kubelearn.apiserver.auth import ISSUER
from kubelearn.apiserver.metrics import CONTENT_TYPE
from kubelearn.client.transport import Request, Response

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer


async def answer(server: ApiServer, request: Request) -> Response | None:
    """None for a path that there is not."""
    path, accept = request.path.rstrip("/") or "/", request.headers.get("accept", "")
    if (found := await health.answer(server, path, request)) is not None:
        return found
    if path == "/":
        return json_response({"paths": _paths(server)})
    if path == "/version":
        return json_response(discovery.version())
    if path == "/metrics":
        return Response(200, {"content-type": CONTENT_TYPE}, server.metrics.text(await _stored(server)))
    if path in ("/api", "/apis"):
        if discovery.wants_aggregated(accept):
            document = discovery.aggregated(server.registry, core=path == "/api")
            return _tagged(request, discovery.AGGREGATED, orjson.dumps(document))
        return json_response(discovery.groups(server.registry) if path == "/apis" else discovery.api_versions(""))
    if path == "/.well-known/openid-configuration":
        algorithm = server.authenticator.jwks()["keys"][0]["alg"]
        return json_response(discovery.openid_configuration(ISSUER, algorithm))
    if path == "/openid/v1/jwks":
        return Response(200, {"content-type": "application/jwk-set+json"}, orjson.dumps(server.authenticator.jwks()))
    if path.startswith("/apis/"):
        group = discovery.group(server.registry, path.removeprefix("/apis/"))
        return json_response(group) if group else None
    if path == "/openapi/v2":
        body, content = server.openapi.v2(accept)
        return _tagged(request, content, body)
    if path == "/openapi/v3":
        return _tagged(request, JSON["content-type"], server.openapi.v3_index())
    if path.startswith("/openapi/v3/"):
        described = server.openapi.v3(path.removeprefix("/openapi/v3/"))
        return _tagged(request, JSON["content-type"], described) if described is not None else None
    return None


def _tagged(request: Request, content: str, body: bytes) -> Response:
    """With an ETag, so that a client which has this document already is told so: 304."""
    tag = f'"{hashlib.sha512(body).hexdigest().upper()}"'
    headers = {"etag": tag, "vary": "Accept"}
    if tag in (given.strip() for given in request.headers.get("if-none-match", "").split(",")):
        return Response(304, headers)
    return Response(200, {"content-type": content, **headers}, body)


def _paths(server: ApiServer) -> list[str]:
    """What `/` lists."""
    out = {"/.well-known/openid-configuration", "/api", "/apis", "/metrics", "/openapi/v2", "/openapi/v3"}
    out |= {"/openid/v1/jwks", "/version"}
    for group, versions in server.registry.group_versions().items():
        out |= {f"/apis/{group}"} if group else set()
        out |= {f"/apis/{group}/{v}" if group else f"/api/{v}" for v in versions}
    for root in health.ROOTS:
        out |= {f"/{root}", *(f"/{root}/{name}" for name in health.names())}
    return sorted(out)


async def _stored(server: ApiServer) -> Counter[str]:
    """How many objects there are, by group resource."""
    return Counter(keys.parse(kv.key)[0] for kv in (await server.store.range(keys.ROOT)).items)
