"""Making and deleting the pods of an owner, and telling of it in events, as all workload controllers do.

Source: Kubernetes' pkg/controller/controller_utils.go (RealPodControl, slowStartBatch).
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.controllers.base import PODS, ControllerContext

T = TypeVar("T")


def pod_from_template(owner: Obj) -> Obj:
    """A pod as `owner.spec.template` describes it, owned by `owner`, its name to be generated."""
    template, name = owner["spec"]["template"], owner["metadata"]["name"]
    given = template.get("metadata") or {}
    metadata: dict[str, Any] = {"generateName": f"{name}-", "namespace": owner["metadata"]["namespace"]}
    for part in ("labels", "annotations", "finalizers"):
        if given.get(part):
            metadata[part] = copy.deepcopy(given[part])
    metadata["ownerReferences"] = [meta.owner_reference(owner)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": copy.deepcopy(template["spec"])}


async def create(context: ControllerContext, owner: Obj, pod: Obj) -> ApiError | None:
    """What refused it, if anything did; a namespace that goes is no failure."""
    try:
        made = await context.create(PODS, pod)
    except ApiError as error:
        if _namespace_goes(error):
            return None
        await context.recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
        return error
    await context.recorder.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
    return None


def _namespace_goes(error: ApiError) -> bool:
    causes = (error.details or {}).get("causes") or []
    return any(c.get("reason") == "NamespaceTerminating" for c in causes)


async def delete(context: ControllerContext, owner: Obj, pod: Obj) -> ApiError | None:
    name = pod["metadata"]["name"]
    try:
        deleted = await context.delete(PODS, pod)
    except ApiError as error:
        await context.recorder.event(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
        return error
    if deleted:
        await context.recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")
    return None


async def delete_all(context: ControllerContext, owner: Obj, pods: Iterable[Obj]) -> ApiError | None:
    return first(await asyncio.gather(*(delete(context, owner, pod) for pod in pods)))


async def slow_start(items: Sequence[T], make: Callable[[T], Awaitable[ApiError | None]]) -> ApiError | None:
    """Batches of 1, 2, 4 …: if pods are refused (a quota, say) one request tells, not five hundred."""
    done, batch = 0, 1
    while done < len(items):
        failure = first(await asyncio.gather(*(make(item) for item in items[done : done + batch])))
        if failure is not None:
            return failure
        done, batch = done + batch, 2 * batch
    return None


def first(outcomes: Iterable[ApiError | None]) -> ApiError | None:
    return next((error for error in outcomes if error is not None), None)
