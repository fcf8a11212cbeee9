"""Bootstrap tokens go when their time is over. Source: Kubernetes' pkg/controller/bootstrap (tokencleaner)."""

from __future__ import annotations

from kubelearn.api import bootstrap_token, meta
from kubelearn.api.resource import Resource
from kubelearn.controllers.base import Controller, ControllerContext, Watch, own_key
from kubelearn.trace import cause

SECRETS = Resource("", "v1", "Secret", "secrets", "secret", True)


async def reconcile(context: ControllerContext, key: str) -> None:
    secret = context.informer(SECRETS).get(*meta.split_key(key))
    if secret is None or secret.get("type") != bootstrap_token.TYPE or "deletionTimestamp" in secret["metadata"]:
        return
    left = bootstrap_token.seconds_left(secret, context.now())
    if left is None:
        return
    if left > 0:
        context.requeue_after(key, left)
        return
    cause.add_note(reconcile=f"bootstrap token {key} has expired → delete it")
    await context.delete(SECRETS, secret, {"preconditions": {"uid": secret["metadata"]["uid"]}})


CONTROLLER = Controller(
    "token-cleaner", (Watch(SECRETS, own_key, namespace=bootstrap_token.NAMESPACE),), reconcile, workers=1
)
