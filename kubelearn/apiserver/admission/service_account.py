"""ServiceAccount: a pod runs as an account that exists, and gets its token."""

from __future__ import annotations

import asyncio

from kubelearn.api import errors
from kubelearn.api.errors import ApiError
from kubelearn.api.meta import random_suffix
from kubelearn.api.resource import Obj
from kubelearn.apiserver.admission._base import ACCOUNTS, Admission, Attempt

_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
#: The controllers make the ServiceAccount of a new namespace a moment after it.
_ACCOUNT_PATIENCE = 1.0


async def _admit(attempt: Attempt) -> None:
    """Raises ApiError 403."""
    if not attempt.creates("pods"):
        return
    spec, meta = attempt.obj["spec"], attempt.obj["metadata"]
    if "kubernetes.io/config.mirror" in meta.get("annotations", {}):
        return
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = await _account(attempt, name)
    if account is None:
        why = f'error looking up service account {meta["namespace"]}/{name}: serviceaccount "{name}" not found'
        raise errors.forbidden(attempt.resource, attempt.name, why)
    automount = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]
    if automount:
        _mount_token(spec)


async def _account(attempt: Attempt, name: str) -> Obj | None:
    deadline = asyncio.get_running_loop().time() + _ACCOUNT_PATIENCE
    while True:
        try:
            return await attempt.server.read(ACCOUNTS, attempt.namespace, name)
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


ADMISSION = Admission(30, _admit)
