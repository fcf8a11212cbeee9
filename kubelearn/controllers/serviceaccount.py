"""Every namespace has a ServiceAccount `default`, without which no pod could be made in it.

Source: Kubernetes' pkg/controller/serviceaccount/serviceaccounts_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api.resource import Obj
from kubelearn.controllers import _namespaced
from kubelearn.controllers.base import NAMESPACES, SERVICEACCOUNTS, Controller, ControllerContext, Watch

NAME = "default"


def _deleted(_context: ControllerContext, event_type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    meta = new["metadata"]
    return (meta["namespace"],) if event_type == "DELETED" and meta["name"] == NAME else ()


async def reconcile(context: ControllerContext, key: str) -> None:
    if not _namespaced.takes_objects(context.informer(NAMESPACES).get("", key)):
        return
    if context.informer(SERVICEACCOUNTS).get(key, NAME) is None:
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": key}}
        await _namespaced.create(context, SERVICEACCOUNTS, account)


CONTROLLER = Controller(
    "serviceaccount-controller",
    (Watch(NAMESPACES), Watch(SERVICEACCOUNTS, _deleted)),
    reconcile,
    workers=1,
)
