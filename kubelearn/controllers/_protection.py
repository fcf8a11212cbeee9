"""Storage that is in use goes only when it is used no more: a finalizer is taken away then.

Source: Kubernetes' pkg/controller/volume/pvcprotection and …/pvprotection.
"""

from __future__ import annotations

from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers.base import ControllerContext
from kubelearn.trace import cause


def waits(obj: Obj, finalizer: str) -> bool:
    return "deletionTimestamp" in obj["metadata"] and finalizer in (obj["metadata"].get("finalizers") or ())


async def let_go(context: ControllerContext, resource: Resource, obj: Obj, finalizer: str) -> None:
    about = obj["metadata"]
    cause.add_note(reconcile=f"nobody uses {about['name']} any more → let it go")
    left = [f for f in about["finalizers"] if f != finalizer]
    await context.update(resource, {**obj, "metadata": {**about, "finalizers": left}})
