"""What every cluster has from its first second."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import orjson

from kubelearn.api import meta, rbac
from kubelearn.api.kinds import priorityclass, servicecidr
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import codec, keys
from kubelearn.apiserver.auth import User
from kubelearn.apiserver.rbac import bootstrap_objects
from kubelearn.client.transport import Request
from kubelearn.kit import clock

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_KINDS = {
    "clusterroles": "ClusterRole",
    "clusterrolebindings": "ClusterRoleBinding",
    "roles": "Role",
    "rolebindings": "RoleBinding",
}


async def objects(server: ApiServer, service_cidr: str) -> AsyncIterator[str]:
    """The namespaces and PriorityClasses that Kubernetes creates, the API server's Service, and RBAC's default policy.
    Yields the name of each hook that is done."""
    await _policy(server)
    yield "rbac/bootstrap-roles"
    user = User("system:apiserver", ("system:masters",))
    for name in _NAMESPACES:
        await _create(server, user, "/api/v1/namespaces", {"metadata": {"name": name}})
    yield "start-system-namespaces-controller"
    for name, (value, description) in priorityclass.SYSTEM.items():
        system: Obj = {"metadata": {"name": name}, "value": value, "description": description}
        await _create(server, user, priorityclass.RESOURCE.path(), system)
    yield "scheduling/bootstrap-system-priority-classes"
    cidr: Obj = {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": [service_cidr]}}
    await _create(server, user, servicecidr.RESOURCE.path(), cidr)
    yield "start-kubernetes-service-cidr-controller"
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
    yield "bootstrap-controller"


async def _create(server: ApiServer, user: User, path: str, obj: Obj) -> None:
    """Unless an earlier run did. (Creating a Service anew fails on its address before it fails on its name.)"""
    found = await server.handle(Request("GET", f"{path}/{obj['metadata']['name']}"), user)
    if found.status == 200:
        return
    response = await server.handle(Request("POST", path, [], {}, orjson.dumps(obj)), user)
    if response.status != 201:
        raise RuntimeError(f"bootstrap: POST {path}: {response.status} {response.body.decode()}")


async def _policy(server: ApiServer) -> None:
    """Make what is missing, and give roles of an older version the rules that they lack. All at once, past the rules
    for clients: the store then writes one batch instead of waiting for the disk a hundred times."""
    now, writes = clock.rfc3339(clock.utc_now()), []
    for plural, namespace, wanted in bootstrap_objects():
        resource = Resource(rbac.GROUP, "v1", _KINDS[plural], plural, _KINDS[plural].lower(), bool(namespace))
        key = keys.key(resource, namespace, wanted["metadata"]["name"])
        kv = await server.store.get(key)
        if kv is None:
            about = {**wanted["metadata"], "uid": meta.new_uid(), "creationTimestamp": now}
            new = {"kind": resource.kind, "apiVersion": resource.api_version, **wanted, "metadata": about}
            writes.append(server.put(key, codec.encode(new), expect=0, cause=b""))
            continue
        old = codec.decode(kv)
        missing = rbac.uncovered(old.get("rules") or [], wanted.get("rules") or [])
        if missing and (old["metadata"].get("annotations") or {}).get(_AUTOUPDATE) == "true":
            value = codec.encode({**old, "rules": [*(old.get("rules") or []), *missing]})
            writes.append(server.put(key, value, expect=kv.mod_revision, cause=b""))
    await asyncio.gather(*writes)
