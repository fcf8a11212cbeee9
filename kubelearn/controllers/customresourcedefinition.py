"""CustomResourceDefinitions: whether their names are free, when they are served, and their end.

In Kubernetes these are controllers of apiextensions-apiserver (pkg/controller/status, /establish and /finalizer).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator

from kubelearn.api.errors import ApiError
from kubelearn.api.kinds import customresourcedefinition as crd
from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers import _conditions
from kubelearn.controllers.base import Controller, ControllerContext, Watch, own_key
from kubelearn.trace import cause

CRDS = crd.RESOURCE
_RETRY = 1.0


def _enqueue(context: ControllerContext, event: str, old: Obj | None, new: Obj) -> Iterable[str]:
    """When one goes, others of its group may get the names that they wanted."""
    if event != "DELETED":
        return own_key(context, event, old, new)
    group = new["spec"]["group"]
    return [c["metadata"]["name"] for c in context.informer(CRDS).items() if c["spec"]["group"] == group]


async def reconcile(context: ControllerContext, key: str) -> None:
    definition = context.informer(CRDS).get("", key)
    if definition is None:
        return
    if "deletionTimestamp" in definition["metadata"]:
        if crd.CLEANUP in (definition["metadata"].get("finalizers") or ()):
            await _clean_up(context, definition)
        return
    await _name(context, definition)


# ---- names


async def _name(context: ControllerContext, definition: Obj) -> None:
    wanted = definition["spec"]["names"]
    clash = next(_clashes(context, definition), None)
    status = copy.deepcopy(definition.get("status") or {})
    status["conditions"] = status.get("conditions") or []
    now = context.timestamp()
    if clash is None:
        status["acceptedNames"] = {k: wanted[k] for k in wanted}
        told = [("NamesAccepted", "True", "NoConflicts", "no conflicts found")]
        told.append(("Established", "True", "InitialNamesAccepted", "the initial names have been accepted"))
    else:
        told = [("NamesAccepted", "False", *clash)]
        if _conditions.get(status, "Established") is None:
            told.append(("Established", "False", "NotAccepted", "not all names are accepted"))
    for type_, value, reason, message in (*_approved(definition), *told):
        _conditions.put(status, _conditions.make(type_, value, reason, message, now))
    if status != definition.get("status"):
        cause.add_note(reconcile=f"{definition['metadata']['name']}: {told[0][3]} → {told[-1][0]} {told[-1][1]}")
        await context.update(CRDS, {**definition, "status": status}, "status")


def _approved(definition: Obj) -> Iterator[tuple[str, str, str, str]]:
    """What is said of a group that is Kubernetes' own."""
    state, message = crd.approval(definition)
    reasons = {
        "approved": ("True", "ApprovedAnnotation"),
        "bypassed": ("False", "UnapprovedAnnotation"),
        "invalid": ("False", "InvalidAnnotation"),
        "missing": ("False", "MissingAnnotation"),
    }
    if state:
        yield "KubernetesAPIApprovalPolicyConformant", *reasons[state], message


def _clashes(context: ControllerContext, definition: Obj) -> Iterator[tuple[str, str]]:
    """Reasons and messages: names that another definition of the group has already."""
    wanted, name = definition["spec"]["names"], definition["metadata"]["name"]
    taken, kinds = set[str](), set[str]()
    for other in context.informer(CRDS).items():
        if other["metadata"]["name"] != name and other["spec"]["group"] == definition["spec"]["group"]:
            names = (other.get("status") or {}).get("acceptedNames") or {}
            taken |= {n for n in (names.get("plural"), names.get("singular"), *(names.get("shortNames") or ())) if n}
            kinds |= {n for n in (names.get("kind"), names.get("listKind")) if n}
    for field, reason, pool in (
        ("plural", "PluralConflict", taken),
        ("singular", "SingularConflict", taken),
        ("kind", "KindConflict", kinds),
        ("listKind", "ListKindConflict", kinds),
    ):
        if wanted.get(field) in pool:
            yield reason, f'"{wanted[field]}" is already in use'
    if double := [n for n in wanted.get("shortNames") or () if n in taken]:
        yield "ShortNamesConflict", ", ".join(f'"{n}" is already in use' for n in double)


# ---- the end


async def _clean_up(context: ControllerContext, definition: Obj) -> None:
    """All custom resources go, then the definition."""
    resource = _served(definition)
    left = await _delete_all(context, resource) if crd.established(definition) and resource else 0
    name = definition["metadata"]["name"]
    if left:
        cause.add_note(reconcile=f"{name} terminates: {left} of its objects are still there")
        text = f"CustomResource deletion is in progress, {left} remaining"
        await _say(context, definition, ("InstanceDeletionInProgress", text))
        context.requeue_after(name, _RETRY)
        return
    cause.add_note(reconcile=f"{name} has no objects any more → take its finalizer away")
    current = await context.client.get(CRDS, name)
    current["metadata"]["finalizers"] = [f for f in current["metadata"]["finalizers"] if f != crd.CLEANUP]
    await context.update(CRDS, current)


async def _delete_all(context: ControllerContext, resource: Resource) -> int:
    """How many are still there afterwards, because of their finalizers."""
    try:
        found = (await context.client.list(resource, metadata_only=True))["items"]
        for namespace in sorted({item["metadata"].get("namespace", "") for item in found}):
            await context.client.delete_collection(resource, namespace, options={"propagationPolicy": "Background"})
        return len((await context.client.list(resource, metadata_only=True))["items"])
    except ApiError as error:
        if error.code == 404:  # no version is served: nobody can have any
            return 0
        raise


def _served(definition: Obj) -> Resource | None:
    spec, names = definition["spec"], (definition.get("status") or {}).get("acceptedNames") or {}
    version = next((v["name"] for v in spec["versions"] if v.get("served")), None)
    if version is None:
        return None
    namespaced = spec["scope"] == "Namespaced"
    return Resource(spec["group"], version, names["kind"], names["plural"], names.get("singular", ""), namespaced)


async def _say(context: ControllerContext, definition: Obj, told: tuple[str, str]) -> None:
    status = copy.deepcopy(definition["status"])
    if _conditions.put(status, _conditions.make("Terminating", "True", *told, context.timestamp())):
        await context.update(CRDS, {**definition, "status": status}, "status")


CONTROLLER = Controller("customresourcedefinition-controller", (Watch(CRDS, _enqueue),), reconcile, workers=1)
