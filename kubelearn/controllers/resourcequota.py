"""ResourceQuotas: `status.hard` and `status.used`, counted anew whenever something that counts comes, changes or goes.

Admission counts what is created before it is stored; here it is put right when an object was not stored after all, and
when one goes. Source: Kubernetes' pkg/controller/resourcequota.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api import meta, quota
from kubelearn.api.errors import ApiError
from kubelearn.api.kinds import resourcequota
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.discovery import Mapper, discover
from kubelearn.controllers.base import CONFIGMAPS, PODS, SERVICES, Controller, ControllerContext, Watch, own_key
from kubelearn.trace import cause

QUOTAS = resourcequota.RESOURCE
CLAIMS = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", True)
SECRETS = Resource("", "v1", "Secret", "secrets", "secret", True)
_LOOKED_AT = (PODS, SERVICES, CLAIMS)
_ONLY_COUNTED = (CONFIGMAPS, SECRETS)
_FOLLOWED = {r.group_resource: r for r in (*_LOOKED_AT, *_ONLY_COUNTED)}
#: What nobody follows is counted again after this long, as kube-controller-manager's full resync does (in 5 minutes).
_RESYNC = 30.0


def _of_namespace(context: ControllerContext, event: str, old: Obj | None, new: Obj) -> Iterable[str]:
    """Quotas that may count the object otherwise than before."""
    if event == "MODIFIED" and old is not None and not _matters(old, new):
        return ()
    place = new["metadata"].get("namespace", "")
    return [meta.key(q) for q in context.informer(QUOTAS).items(place)]


def _matters(old: Obj, new: Obj) -> bool:
    return bool(old.get("spec") != new.get("spec") or quota.counts(old) != quota.counts(new))


async def reconcile(context: ControllerContext, key: str) -> None:
    namespace, name = meta.split_key(key)
    found = context.informer(QUOTAS).get(namespace, name)
    if found is None:
        return
    hard = found["spec"].get("hard") or {}
    counted, complete = await _counted(context, namespace, hard)
    status = {"hard": hard, "used": quota.total(found, counted)}
    if status != {k: (found.get("status") or {}).get(k) for k in status}:
        cause.add_note(reconcile=f"quota {name}: {quota.pretty(status['used'])} of {quota.pretty(hard)}")
        await context.update(QUOTAS, {**found, "status": status}, "status")
    if not complete:
        context.requeue_after(key, _RESYNC)


async def _counted(context: ControllerContext, namespace: str, hard: Obj) -> tuple[list[tuple[Resource, Obj]], bool]:
    """Everything in the namespace that may count, and whether all of it is followed."""
    found = [(r, obj) for r in _FOLLOWED.values() for obj in context.informer(r).items(namespace)]
    mapper: Mapper | None = None
    others = [n for n in dict.fromkeys(name.removeprefix("count/") for name in hard) if _is_other(n, hard)]
    for name in others:
        mapper = mapper or await discover(context.client)
        resource = next((r for r in mapper.all() if r.group_resource == name), None)
        if resource is None:
            continue
        try:
            listed = await context.client.list(resource, namespace, metadata_only=True)
        except ApiError as error:
            if error.code != 404:
                raise
            continue
        found += [(resource, item) for item in listed["items"]]
    return found, not others


def _is_other(name: str, hard: Obj) -> bool:
    """A kind of object that is counted, and that no informer here follows."""
    if name in _FOLLOWED:
        return False
    return f"count/{name}" in hard or name in ("replicationcontrollers", "resourcequotas")


CONTROLLER = Controller(
    "resourcequota-controller",
    (
        Watch(QUOTAS, own_key),
        *(Watch(r, _of_namespace) for r in _LOOKED_AT),
        *(Watch(r, _of_namespace, metadata_only=True) for r in _ONLY_COUNTED),
    ),
    reconcile,
)
