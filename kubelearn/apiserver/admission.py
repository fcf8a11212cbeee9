"""Admission: what is filled in or refused for reasons beyond one object: its namespace, its ServiceAccount, taints."""

from __future__ import annotations

import asyncio

from kubelearn.api import errors
from kubelearn.api.errors import ApiError
from kubelearn.api.meta import random_suffix
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import classes

NAMESPACES = Resource("", "v1", "Namespace", "namespaces", "namespace", False)
ACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", True)
PODS = Resource("", "v1", "Pod", "pods", "pod", True)
_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
#: The controllers make the ServiceAccount of a new namespace a moment after it.
_ACCOUNT_PATIENCE = 1.0


Reader = classes.Reader


async def namespace_lifecycle(server: Reader, resource: Resource, obj: Obj) -> None:
    """No new object in a namespace that is missing or going. Raises ApiError 404 or 403."""
    name = obj["metadata"].get("namespace", "")
    if not resource.namespaced:
        return
    found = await server.read(NAMESPACES, "", name)
    if found["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {name} because it is being terminated"
        refusal = errors.forbidden(resource, obj["metadata"].get("name", ""), why)
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {name} is being terminated",
            "field": "metadata.namespace",
        }
        refusal.details = {**(refusal.details or {}), "causes": [cause]}
        raise refusal


async def pod(server: Reader, resource: Resource, obj: Obj) -> None:
    """Priority, ServiceAccount and its token volume, and the default tolerations."""
    await classes.priority(server, resource, obj)
    await _service_account(server, resource, obj)
    _default_tolerations(obj["spec"])


async def _service_account(server: Reader, resource: Resource, obj: Obj) -> None:
    spec, meta = obj["spec"], obj["metadata"]
    if "kubernetes.io/config.mirror" in meta.get("annotations", {}):
        return
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = await _account(server, meta["namespace"], name)
    if account is None:
        why = f'error looking up service account {meta["namespace"]}/{name}: serviceaccount "{name}" not found'
        raise errors.forbidden(resource, meta.get("name", ""), why)
    automount = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]
    if automount:
        _mount_token(spec)


async def _account(server: Reader, namespace: str, name: str) -> Obj | None:
    deadline = asyncio.get_running_loop().time() + _ACCOUNT_PATIENCE
    while True:
        try:
            return await server.read(ACCOUNTS, namespace, name)
        except ApiError as error:
            if error.code != 404 or asyncio.get_running_loop().time() > deadline:
                return None
        await asyncio.sleep(0.01)


def _mount_token(spec: Obj) -> None:
    containers = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    bare = [c for c in containers if not any(m["mountPath"] == _TOKEN_PATH for m in c.get("volumeMounts", ()))]
    if not bare:
        return
    name = f"kube-api-access-{random_suffix()}"
    for container in bare:
        container.setdefault("volumeMounts", []).append({"name": name, "readOnly": True, "mountPath": _TOKEN_PATH})
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {
            "downwardAPI": {
                "items": [
                    {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
                ]
            }
        },
    ]
    spec.setdefault("volumes", []).append({"name": name, "projected": {"sources": sources, "defaultMode": 420}})


def _default_tolerations(spec: Obj) -> None:
    """DefaultTolerationSeconds: a pod stays 300 s on a node that is not ready or unreachable."""
    tolerations = spec.setdefault("tolerations", [])
    for key in _TOLERATED:
        if not any(_tolerates(t, key) for t in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})


def _tolerates(toleration: Obj, key: str) -> bool:
    if toleration.get("effect") not in (None, "", "NoExecute"):
        return False
    return toleration.get("key") in (None, "", key) and (
        toleration.get("operator") == "Exists" or toleration.get("key") == key
    )
