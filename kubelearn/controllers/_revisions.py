"""The history of a StatefulSet or DaemonSet: one ControllerRevision for each template it has had.

Source: Kubernetes' pkg/controller/history/controller_history.go.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers._deployment_sets import template_hash
from kubelearn.controllers.base import ControllerContext

REVISIONS = Resource("apps", "v1", "ControllerRevision", "controllerrevisions", "controllerrevision", True)
HASH_LABEL = "controller-revision-hash"


def of(context: ControllerContext, owner: Obj) -> list[Obj]:
    """Oldest first."""
    owned = context.informer(REVISIONS).by_index("controller", owner["metadata"]["uid"])
    return sorted(owned, key=lambda r: (r.get("revision", 0), r["metadata"]["name"]))


def data_of(owner: Obj) -> Obj:
    """What a revision remembers: a patch that puts its template back."""
    return {"spec": {"template": {**copy.deepcopy(owner["spec"]["template"]), "$patch": "replace"}}}


def apply(owner: Obj, revision: Obj) -> Obj:
    """The owner as it was at that revision."""
    template = {k: v for k, v in revision["data"]["spec"]["template"].items() if k != "$patch"}
    return {**owner, "spec": {**owner["spec"], "template": template}}


async def current(context: ControllerContext, owner: Obj, labels: Mapping[str, str]) -> Obj:
    """The revision of the owner's template: found, moved to the end of the history (after an undo), or made.
    `labels` may use {hash}."""
    history, data = of(context, owner), data_of(owner)
    last = history[-1].get("revision", 0) if history else 0
    for found in history:
        if found["data"] == data:
            if found.get("revision", 0) == last:
                return found
            return await context.patch(REVISIONS, found, {"revision": last + 1})
    return await _make(context, owner, data, last + 1, labels)


async def _make(context: ControllerContext, owner: Obj, data: Obj, number: int, labels: Mapping[str, str]) -> Obj:
    collisions = (owner.get("status") or {}).get("collisionCount") or 0
    while True:
        digest = template_hash(data["spec"]["template"], collisions)
        about = {
            "name": f"{owner['metadata']['name']}-{digest}",
            "namespace": owner["metadata"]["namespace"],
            "labels": {k: v.format(hash=digest) for k, v in labels.items()},
            "ownerReferences": [meta.owner_reference(owner)],
        }
        try:
            return await context.create(REVISIONS, {"metadata": about, "data": data, "revision": number})
        except ApiError as error:
            if error.code != 409:
                raise
            taken = await context.client.get(REVISIONS, about["name"], about["namespace"])
            if meta.is_controlled_by(taken, owner) and taken["data"] == data:
                return taken
            collisions += 1


async def truncate(context: ControllerContext, owner: Obj, in_use: Iterable[str]) -> None:
    """Forget the oldest past revisionHistoryLimit that no pod has; `in_use` are names or hashes."""
    used = set(in_use)
    idle = [r for r in of(context, owner) if not {r["metadata"]["name"], hash_of(r)} & used]
    surplus = len(idle) - owner["spec"].get("revisionHistoryLimit", 10)
    for revision in idle[: max(0, surplus)]:
        await context.delete(REVISIONS, revision)


def hash_of(revision: Obj) -> str:
    return str(revision["metadata"]["name"]).rpartition("-")[2]
