"""Every namespace has a ConfigMap `kube-root-ca.crt`, with which its pods check who the API server is.

Source: Kubernetes' pkg/controller/certificates/rootcacertpublisher.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api.resource import Obj
from kubelearn.controllers import _namespaced
from kubelearn.controllers.base import CONFIGMAPS, NAMESPACES, Controller, ControllerContext, Watch
from kubelearn.trace import cause

NAME = "kube-root-ca.crt"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


def _changed(_context: ControllerContext, _type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    return (new["metadata"]["namespace"],) if new["metadata"]["name"] == NAME else ()


async def reconcile(context: ControllerContext, key: str) -> None:
    if not _namespaced.takes_objects(context.informer(NAMESPACES).get("", key)):
        return
    data = {"ca.crt": context.options.root_ca}
    current = context.informer(CONFIGMAPS).get(key, NAME)
    if current is None:
        notes = {"kubernetes.io/description": _DESCRIPTION}
        metadata = {"name": NAME, "namespace": key, "annotations": notes}
        wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        await _namespaced.create(context, CONFIGMAPS, wanted)
    elif current.get("data") != data:
        cause.add_note(reconcile=f"{NAME} was changed → put the certificate back")
        await context.update(CONFIGMAPS, {**current, "data": data})


CONTROLLER = Controller(
    "root-ca-certificate-publisher",
    (Watch(NAMESPACES), Watch(CONFIGMAPS, _changed)),
    reconcile,
    workers=1,
    enabled=lambda options: bool(options.root_ca),
)
