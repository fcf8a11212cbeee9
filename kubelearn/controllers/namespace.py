"""Deleting a namespace: empty it of everything that is served, then take its finalizer away.

What still holds it up is said in its conditions. Source: Kubernetes' pkg/controller/namespace/deletion.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.discovery import discover
from kubelearn.controllers import _conditions
from kubelearn.controllers.base import NAMESPACES, PODS, Controller, ControllerContext, Watch
from kubelearn.trace import cause

FINALIZER = "kubernetes"

#: Condition type -> (reason, message) when all is well, as Kubernetes words it.
_FINE = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": (
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
}


@dataclass(slots=True)
class _Outcome:
    """What one pass over a namespace found."""

    remaining: Counter[str] = field(default_factory=Counter)
    finalizers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def _terminating(_context: ControllerContext, event_type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    deleting = event_type != "DELETED" and "deletionTimestamp" in new["metadata"]
    return (new["metadata"]["name"],) if deleting else ()


async def reconcile(context: ControllerContext, key: str) -> None:
    namespace = context.informer(NAMESPACES).get("", key)
    if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
        return
    if FINALIZER not in (namespace.get("spec", {}).get("finalizers") or []):
        return
    cause.add_note(reconcile=f"namespace {key} terminates → delete all in it")
    outcome = await _empty(context, key)
    await _write_conditions(context, namespace, outcome)
    if outcome.remaining or outcome.failures:
        context.requeue_after(key, context.options.namespace_retry)
        return
    cause.add_note(reconcile=f"namespace {key} is empty → take its finalizer away")
    current = await context.client.get(NAMESPACES, key)
    kept = [f for f in current["spec"].get("finalizers") or [] if f != FINALIZER]
    current["spec"]["finalizers"] = kept
    await context.client.update(NAMESPACES, current, subresource="finalize")


async def _empty(context: ControllerContext, name: str) -> _Outcome:
    """Pods go before the rest, as their volumes and accounts are still needed while they end."""
    mapper = await discover(context.client)
    unique: dict[str, Resource] = {}
    for resource in mapper.all():
        if resource.namespaced and {"delete", "list"} <= set(resource.verbs):
            unique.setdefault(resource.group_resource, resource)
    outcome = _Outcome()
    ordered = sorted(unique.values(), key=lambda r: r.group_resource != PODS.group_resource)
    for resource in ordered:
        try:
            await _empty_one(context, resource, name, outcome)
        except ApiError as error:
            if error.code not in (404, 405):
                outcome.failures.append(error.message)
    return outcome


async def _empty_one(context: ControllerContext, resource: Resource, namespace: str, outcome: _Outcome) -> None:
    found = await context.client.list(resource, namespace, metadata_only=True)
    if not found["items"]:
        return
    options = {"propagationPolicy": "Background"}
    if "deletecollection" in resource.verbs:
        await context.client.delete_collection(resource, namespace, options=options)
    else:
        for item in found["items"]:
            await context.delete(resource, item, options)
    left = (await context.client.list(resource, namespace, metadata_only=True))["items"]
    if left:
        outcome.remaining[resource.group_resource] = len(left)
        for item in left:
            outcome.finalizers.update(item["metadata"].get("finalizers") or [])


async def _write_conditions(context: ControllerContext, namespace: Obj, outcome: _Outcome) -> None:
    told = dict(_FINE)
    bad = set()
    if outcome.failures:
        bad.add("NamespaceDeletionContentFailure")
        text = f"Failed to delete all resource types, {len(outcome.failures)} remaining: {outcome.failures[0]}"
        told["NamespaceDeletionContentFailure"] = ("ContentDeletionFailed", text)
    if outcome.remaining:
        bad.add("NamespaceContentRemaining")
        parts = [f"{what}. has {n} resource instances" for what, n in sorted(outcome.remaining.items())]
        text = f"Some resources are remaining: {', '.join(parts)}"
        told["NamespaceContentRemaining"] = ("SomeResourcesRemain", text)
    if outcome.finalizers:
        bad.add("NamespaceFinalizersRemaining")
        parts = [f"{what} in {n} resource instances" for what, n in sorted(outcome.finalizers.items())]
        text = f"Some content in the namespace has finalizers remaining: {', '.join(parts)}"
        told["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", text)
    status = copy.deepcopy(namespace.get("status") or {})
    now, changed = context.timestamp(), status.get("phase") != "Terminating"
    status["phase"] = "Terminating"
    for type_, (reason, message) in told.items():
        value = "True" if type_ in bad else "False"
        condition = _conditions.make(type_, value, reason, message, now)
        old = _conditions.get(status, type_)
        if old is not None and (old["status"], old["message"]) != (value, message):
            _conditions.remove(status, type_)
        changed |= _conditions.put(status, condition)
    if changed:
        await context.update(NAMESPACES, {**namespace, "status": status}, "status")


CONTROLLER = Controller("namespace-controller", (Watch(NAMESPACES, _terminating),), reconcile)
