"""Which objects a controller owns: adopt matching orphans, release what no longer matches.

Source: Kubernetes' pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api import meta, selectors
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH
from kubelearn.controllers import _pods
from kubelearn.controllers.base import ControllerContext, Enqueue, controller_key


def selector_of(owner: Obj) -> selectors.LabelSelector:
    """A ReplicationController's is a plain map, as it was before there were LabelSelectors."""
    found = owner["spec"].get("selector")
    if owner.get("kind") == "ReplicationController":
        return selectors.from_labels(found)
    return selectors.from_label_selector(found)


async def claim(context: ControllerContext, owner: Obj, resource: Resource, candidates: Iterable[Obj]) -> list[Obj]:
    """Those of `candidates` (owned ones and orphans) that belong to `owner`, after adopting and releasing."""
    selector = selector_of(owner)
    deleting = "deletionTimestamp" in owner["metadata"]
    mine = []
    for obj in candidates:
        matches = selector.matches(obj["metadata"].get("labels") or {})
        if meta.is_controlled_by(obj, owner):
            if matches or deleting:
                mine.append(obj)
            else:
                await _release(context, owner, resource, obj)
        elif (
            matches and not deleting and meta.controller_of(obj) is None and "deletionTimestamp" not in obj["metadata"]
        ):
            adopted = await _adopt(context, owner, resource, obj)
            if adopted is not None:
                mine.append(adopted)
    return mine


def candidates(context: ControllerContext, owner: Obj, resource: Resource) -> list[Obj]:
    """What `claim` is to look at: the owner's own, and the orphans of its namespace. The watch must be indexed
    `by_controller_uid`."""
    informer = context.informer(resource)
    own = informer.by_index("controller", owner["metadata"]["uid"])
    return own + informer.by_index("controller", f"orphans/{owner['metadata']['namespace']}")


async def _adopt(context: ControllerContext, owner: Obj, resource: Resource, obj: Obj) -> Obj | None:
    patch = {"metadata": {"uid": obj["metadata"]["uid"], "ownerReferences": [meta.owner_reference(owner)]}}
    return await _patch(context, resource, obj, patch)


async def _release(context: ControllerContext, owner: Obj, resource: Resource, obj: Obj) -> None:
    gone = {"$patch": "delete", "uid": owner["metadata"]["uid"]}
    await _patch(context, resource, obj, {"metadata": {"uid": obj["metadata"]["uid"], "ownerReferences": [gone]}})


async def _patch(context: ControllerContext, resource: Resource, obj: Obj, patch: Obj) -> Obj | None:
    """None when the object is gone or has been replaced: then there is nothing to own."""
    try:
        return await context.patch(resource, obj, patch, STRATEGIC_MERGE_PATCH)
    except ApiError as error:
        if error.code in (404, 409, 422):
            return None
        raise


def selecting(owners: Iterable[Obj], obj: Obj) -> list[str]:
    """Keys of the owners whose selector an orphan matches: they may want to adopt it."""
    namespace, labels = obj["metadata"].get("namespace", ""), obj["metadata"].get("labels") or {}
    found = []
    for owner in owners:
        selector = selector_of(owner)
        if owner["metadata"].get("namespace") == namespace and not selector.empty and selector.matches(labels):
            found.append(meta.key(owner))
    return found


def pod_keys(owners: Resource) -> Enqueue:
    """For a watch of pods: the owner that controls the changed pod, or those that may want to adopt it."""
    owner_key = controller_key(owners.kind)

    def enqueue(context: ControllerContext, event_type: str, old: Obj | None, new: Obj) -> Iterable[str]:
        keys = set(owner_key(context, event_type, old, new))
        if not keys and event_type != "DELETED" and meta.controller_of(new) is None and not _pods.terminating(new):
            keys |= set(selecting(context.informer(owners).items(), new))
        return keys

    return enqueue
