"""A claim that a pod still uses is not deleted before the pod has ended.

Source: Kubernetes' pkg/controller/volume/pvcprotection.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api import meta, volume_matching
from kubelearn.api.kinds import persistentvolumeclaim
from kubelearn.api.resource import Obj
from kubelearn.controllers import _pods, _protection
from kubelearn.controllers.base import PODS, Controller, ControllerContext, Watch, own_key

CLAIMS, FINALIZER = persistentvolumeclaim.RESOURCE, persistentvolumeclaim.FINALIZER


def claims_of(pod: Obj) -> set[str]:
    return {name for name, _ in volume_matching.claim_names(pod)}


def _of_pod(_context: ControllerContext, _type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    return [meta.join_key(new["metadata"]["namespace"], name) for name in claims_of(new)]


async def reconcile(context: ControllerContext, key: str) -> None:
    namespace, name = meta.split_key(key)
    claim = context.informer(CLAIMS).get(namespace, name)
    if claim is None or not _protection.waits(claim, FINALIZER):
        return
    pods = context.informer(PODS).items(namespace)
    used = any(name in claims_of(p) and p["spec"].get("nodeName") and not _pods.finished(p) for p in pods)
    if not used:
        await _protection.let_go(context, CLAIMS, claim, FINALIZER)


CONTROLLER = Controller("pvc-protection-controller", (Watch(CLAIMS, own_key), Watch(PODS, _of_pod)), reconcile)
