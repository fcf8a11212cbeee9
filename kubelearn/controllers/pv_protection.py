"""A volume that is bound to a claim is not deleted before the claim. Source: Kubernetes' pkg/controller/volume/pvprotection."""

from __future__ import annotations

from kubelearn.api.kinds import persistentvolume
from kubelearn.controllers import _protection
from kubelearn.controllers.base import Controller, ControllerContext, Watch, own_key

VOLUMES, FINALIZER = persistentvolume.RESOURCE, persistentvolume.FINALIZER


async def reconcile(context: ControllerContext, key: str) -> None:
    volume = context.informer(VOLUMES).get("", key)
    if volume is None or not _protection.waits(volume, FINALIZER):
        return
    if (volume.get("status") or {}).get("phase") != "Bound":
        await _protection.let_go(context, VOLUMES, volume, FINALIZER)


CONTROLLER = Controller("pv-protection-controller", (Watch(VOLUMES, own_key),), reconcile)
