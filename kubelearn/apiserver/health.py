"""Health end points, and what every cluster has from its first second."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import orjson

from kubelearn.api.kinds import priorityclass
from kubelearn.api.resource import Obj
from kubelearn.apiserver import discovery
from kubelearn.apiserver.auth import User
from kubelearn.client.transport import Request, Response

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_PLAIN = {"content-type": "text/plain; charset=utf-8"}


def answer(server: ApiServer, path: str, request: Request) -> Response | None:
    """`/version`, `/healthz`, `/livez`, `/readyz` with `?verbose`; None for other paths."""
    if path == "/version":
        return Response(200, {"content-type": "application/json"}, orjson.dumps(discovery.version()))
    root, _, check = path.removeprefix("/").partition("/")
    if root not in ("healthz", "livez", "readyz"):
        return None
    checks = {"ping": True, "log": True, "etcd": server.store.revision > 0}
    if check:
        return Response(200, _PLAIN, b"ok") if checks.get(check) else None
    good = all(checks.values())
    if not good or any(k == "verbose" for k, _ in request.query):
        lines = [f"[{'+' if ok else '-'}]{name} {'ok' if ok else 'failed'}" for name, ok in checks.items()]
        text = "\n".join([*lines, f"{root} check {'passed' if good else 'failed'}"]) + "\n"
        return Response(200 if good else 500, _PLAIN, text.encode())
    return Response(200, _PLAIN, b"ok")


async def bootstrap(server: ApiServer, service_cidr: str) -> None:
    """The namespaces and PriorityClasses that Kubernetes creates, and the Service of the API server itself."""
    user = User("system:apiserver", ("system:masters",))
    for name in _NAMESPACES:
        await _create(server, user, "/api/v1/namespaces", {"metadata": {"name": name}})
    for name, (value, description) in priorityclass.SYSTEM.items():
        system: Obj = {"metadata": {"name": name}, "value": value, "description": description}
        await _create(server, user, priorityclass.RESOURCE.path(), system)
    first = str(ipaddress.ip_network(service_cidr)[1])
    service: Obj = {
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {
            "clusterIP": first,
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}],
        },
    }
    await _create(server, user, "/api/v1/namespaces/default/services", service)


async def _create(server: ApiServer, user: User, path: str, obj: Obj) -> None:
    """Unless an earlier run did. (Creating a Service anew fails on its address before it fails on its name.)"""
    found = await server.handle(Request("GET", f"{path}/{obj['metadata']['name']}"), user)
    if found.status == 200:
        return
    response = await server.handle(Request("POST", path, [], {}, orjson.dumps(obj)), user)
    if response.status != 201:
        raise RuntimeError(f"bootstrap: POST {path}: {response.status} {response.body.decode()}")
