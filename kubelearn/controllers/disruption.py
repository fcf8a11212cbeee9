"""PodDisruptionBudgets: how many of the pods that one selects may be evicted now.

Source: Kubernetes' pkg/controller/disruption.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from kubelearn.api import meta, selectors
from kubelearn.api.errors import ApiError
from kubelearn.api.kinds import poddisruptionbudget as budgets
from kubelearn.api.resource import Obj
from kubelearn.client.discovery import NoMatch, discover
from kubelearn.controllers import _pods
from kubelearn.controllers._deployment_math import scaled
from kubelearn.controllers.base import DEPLOYMENTS, PODS, REPLICASETS, Controller, ControllerContext, Watch, own_key
from kubelearn.kit import clock
from kubelearn.trace import cause

BUDGETS = budgets.RESOURCE
#: An evicted pod that is still there after this long is not counted as going any more.
_PATIENCE = timedelta(minutes=2)


class Unknown(Exception):
    """How many pods there should be cannot be told."""


def _of_pod(context: ControllerContext, _type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    """The budgets that select the pod, as it was or as it is."""
    for budget in context.informer(BUDGETS).items(new["metadata"]["namespace"]):
        selector = selectors.from_label_selector(budget["spec"].get("selector"))
        if any(obj is not None and selector.matches(obj["metadata"].get("labels") or {}) for obj in (old, new)):
            yield meta.key(budget)


def _of_workload(context: ControllerContext, _type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    """All budgets of the namespace, when it is scaled."""
    if old is not None and old["spec"].get("replicas") == new["spec"].get("replicas"):
        return ()
    return [meta.key(b) for b in context.informer(BUDGETS).items(new["metadata"]["namespace"])]


async def reconcile(context: ControllerContext, key: str) -> None:
    namespace, name = meta.split_key(key)
    budget = context.informer(BUDGETS).get(namespace, name)
    if budget is None:
        return
    selector = selectors.from_label_selector(budget["spec"].get("selector"))
    pods = [p for p in context.informer(PODS).items(namespace) if selector.matches(p["metadata"].get("labels") or {})]
    if not pods:
        await context.recorder.event(budget, "Normal", "NoPods", "No matching pods found")
    try:
        expected, desired = await _expectation(context, budget["spec"], pods)
    except Unknown as error:
        text = f"Failed to calculate the number of expected pods: {error}"
        await context.recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", text)
        failed = budgets.conditions(budget, allowed=False, failure=str(error))
        status = {**(budget.get("status") or {}), "disruptionsAllowed": 0, "conditions": failed}
        await _write(context, budget, status)
        return
    disrupted = await _disrupted(context, budget, pods)
    healthy = sum(_pods.ready(p) and not _pods.terminating(p) and p["metadata"]["name"] not in disrupted for p in pods)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    status = {
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "disruptionsAllowed": allowed,
        "observedGeneration": budget["metadata"].get("generation", 0),
        "conditions": budgets.conditions(budget, allowed=allowed > 0),
        **({"disruptedPods": disrupted} if disrupted else {}),
    }
    cause.add_note(reconcile=f"{name}: {healthy} of {expected} healthy, {desired} needed → {allowed} may go")
    await _write(context, budget, status)


async def _write(context: ControllerContext, budget: Obj, status: Obj) -> None:
    if status != budget.get("status"):
        await context.update(BUDGETS, {**budget, "status": status}, "status")


async def _expectation(context: ControllerContext, spec: Obj, pods: list[Obj]) -> tuple[int, int]:
    """How many pods there should be, and how many of them must be healthy. Raises Unknown."""
    most, least = spec.get("maxUnavailable"), spec.get("minAvailable")
    if most is None and isinstance(least, int):
        return len(pods), least
    expected = await _scale(context, pods)
    if most is not None:
        return expected, max(0, expected - scaled(most, expected, up=True))
    return expected, scaled(least, expected, up=True) if least is not None else 0


async def _scale(context: ControllerContext, pods: list[Obj]) -> int:
    """The replicas that the pods' controllers ask for, each counted once; pods without a controller do not count."""
    scales: dict[str, int] = {}
    for pod in pods:
        ref = meta.controller_of(pod)
        if ref is not None and ref["uid"] not in scales:
            uid, replicas = await _scale_of(context, pod["metadata"]["namespace"], ref)
            scales |= {ref["uid"]: 0, uid: replicas}
    return sum(scales.values())


async def _scale_of(context: ControllerContext, namespace: str, ref: dict[str, Any]) -> tuple[str, int]:
    """Uid and replicas of whoever scales these pods: a ReplicaSet's Deployment, if it has one. Raises Unknown."""
    if ref["kind"] == "ReplicaSet":
        found = context.informer(REPLICASETS).get(namespace, ref["name"])
        owner = meta.controller_of(found) if found else None
        if owner is not None and owner["kind"] == "Deployment":
            found = context.informer(DEPLOYMENTS).get(namespace, owner["name"])
        if found is not None:
            return str(found["metadata"]["uid"]), int(found["spec"].get("replicas", 1))
    try:
        mapper = await discover(context.client)
        resource = mapper.for_kind(ref["apiVersion"], ref["kind"])
    except NoMatch as error:
        raise Unknown(str(error)) from error
    if "scale" not in resource.subresources:
        raise Unknown(f"{resource.group_resource} does not implement the scale subresource")
    try:
        scale = await context.client.get(resource, ref["name"], namespace, subresource="scale")
    except ApiError as error:
        if error.code == 404:
            return ref["uid"], 0
        raise
    return str(scale["metadata"]["uid"]), int(scale["spec"].get("replicas", 0))


async def _disrupted(context: ControllerContext, budget: Obj, pods: list[Obj]) -> Obj:
    """Pods whose eviction was granted and that are not on their way out yet, by name with the time of the grant."""
    here = {p["metadata"]["name"]: p for p in pods if not _pods.terminating(p)}
    out: Obj = {}
    for name, granted in ((budget.get("status") or {}).get("disruptedPods") or {}).items():
        if name not in here:
            continue
        left = (clock.parse(granted) + _PATIENCE - context.now()).total_seconds()
        if left <= 0:
            text = f"Pod was expected by PDB {meta.key(budget)} to be deleted but it wasn't"
            await context.recorder.event(here[name], "Warning", "NotDeleted", text)
            continue
        out[name] = granted
        context.requeue_after(meta.key(budget), left)
    return out


CONTROLLER = Controller(
    "disruption-controller",
    (
        Watch(BUDGETS, own_key),
        Watch(PODS, _of_pod),
        Watch(REPLICASETS, _of_workload),
        Watch(DEPLOYMENTS, _of_workload),
    ),
    reconcile,
    source="controllermanager",
)
