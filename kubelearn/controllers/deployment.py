"""Deployment: one ReplicaSet per version of the pod template, and the way from one to the next.

The decisions are in `_deployment_rollout`, the arithmetic in `_deployment_math`, the ReplicaSets in
`_deployment_sets` and the conditions in `_deployment_status`. Source: pkg/controller/deployment.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api import meta
from kubelearn.api.resource import Obj
from kubelearn.controllers import _adoption, _deployment_rollout, _deployment_sets, _deployment_status
from kubelearn.controllers import _deployment_math as math
from kubelearn.controllers.base import (
    DEPLOYMENTS,
    PODS,
    REPLICASETS,
    Controller,
    ControllerContext,
    Watch,
    by_controller_uid,
    controller_key,
)

_owner_key = controller_key("Deployment")


def _set_keys(context: ControllerContext, event_type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    keys = set(_owner_key(context, event_type, old, new))
    if not keys and event_type != "DELETED" and meta.controller_of(new) is None:
        keys |= set(_adoption.selecting(context.informer(DEPLOYMENTS).items(), new))
    return keys


def _pod_keys(context: ControllerContext, event_type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    """Recreate waits for the end of the last old pod; nothing else of a pod matters here."""
    ref = meta.controller_of(new)
    if event_type != "DELETED" or ref is None or ref["kind"] != "ReplicaSet":
        return ()
    namespace = new["metadata"]["namespace"]
    rs = context.informer(REPLICASETS).get(namespace, ref["name"])
    owner = meta.controller_of(rs) if rs else None
    deployment = context.informer(DEPLOYMENTS).get(namespace, owner["name"]) if owner else None
    if deployment is None or math.rolling(deployment):
        return ()
    return (meta.key(deployment),)


async def reconcile(context: ControllerContext, key: str) -> None:
    deployment = context.informer(DEPLOYMENTS).get(*meta.split_key(key))
    if deployment is None:
        return
    informer, own = context.informer(REPLICASETS), deployment["metadata"]
    candidates = informer.by_index("controller", own["uid"])
    candidates += informer.by_index("controller", f"orphans/{own['namespace']}")
    owned = await _adoption.claim(context, deployment, REPLICASETS, candidates)
    rollout = _deployment_sets.Rollout(context, deployment)
    rollout.new, rollout.old = _deployment_sets.split(deployment, owned)
    if "deletionTimestamp" in own:
        await _deployment_status.sync_plain(rollout)
        return
    await _deployment_status.sync_paused(rollout)
    if deployment["spec"].get("paused") or _deployment_rollout.scaled(rollout):
        await _deployment_rollout.rescale(rollout)
    elif math.rolling(deployment):
        await _deployment_rollout.roll(rollout)
    else:
        await _deployment_rollout.recreate(rollout)


CONTROLLER = Controller(
    "deployment-controller",
    (
        Watch(DEPLOYMENTS),
        Watch(REPLICASETS, _set_keys, {"controller": by_controller_uid}),
        Watch(PODS, _pod_keys, {"controller": by_controller_uid}),
    ),
    reconcile,
)
