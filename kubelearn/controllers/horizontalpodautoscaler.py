"""HorizontalPodAutoscaler: as many replicas as the load asks for, within bounds and not too fast.

Source: Kubernetes' pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from kubelearn.api import meta, selectors
from kubelearn.api.errors import ApiError
from kubelearn.api.kinds import horizontalpodautoscaler
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.discovery import NoMatch, discover
from kubelearn.controllers import _conditions, _hpa_math, _hpa_metrics
from kubelearn.controllers._hpa_metrics import Proposal, Unavailable
from kubelearn.controllers.base import PODS, Controller, ControllerContext, Watch, no_keys
from kubelearn.kit import clock
from kubelearn.trace import cause

AUTOSCALERS = horizontalpodautoscaler.RESOURCE
_PERIOD = 15.0
_MEMORY = timedelta(hours=1)
_GOT_SCALE = (
    "AbleToScale",
    "True",
    "SucceededGetScale",
    "the HPA controller was able to get the target's current scale",
)


def _changed(_context: ControllerContext, _type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    """Its own status is no reason to look again."""
    return () if old is not None and old["spec"] == new["spec"] else (meta.key(new),)


async def reconcile(context: ControllerContext, key: str) -> None:
    namespace, name = meta.split_key(key)
    found = context.informer(AUTOSCALERS).get(namespace, name)
    if found is None:
        context.state.pop(key, None)
        return
    context.requeue_after(key, _PERIOD)
    autoscaler = copy.deepcopy(found)
    status: Obj = autoscaler["status"]
    try:
        await _autoscale(context, key, autoscaler)
    except _GivenUp as error:
        _say(context, status, *error.condition)
        await context.recorder.event(autoscaler, "Warning", error.event, str(error))
    if generation := autoscaler["metadata"].get("generation"):
        status["observedGeneration"] = generation
    if status != found.get("status"):
        await context.update(AUTOSCALERS, autoscaler, "status")


class _GivenUp(Exception):
    """Nothing can be done now; `condition` says so: type, status, reason, message. `event` is the event's reason, `told`
    its message, where they are others."""

    def __init__(self, type_: str, reason: str, message: str, told: str = "", event: str = "") -> None:
        super().__init__(told or message)
        self.condition = (type_, "False", reason, message)
        self.event = event or reason


def _say(context: ControllerContext, status: Obj, type_: str, value: str, reason: str, message: str) -> None:
    new = _conditions.make(type_, value, reason, message, context.timestamp())
    old = _conditions.get(status, type_)
    if old is not None and old["status"] == value:
        new["lastTransitionTime"] = old["lastTransitionTime"]
    others = [c for c in status.get("conditions") or () if c["type"] != type_]
    place = next((n for n, c in enumerate(status.get("conditions") or ()) if c["type"] == type_), len(others))
    status["conditions"] = [*others[:place], new, *others[place:]]


async def _autoscale(context: ControllerContext, key: str, autoscaler: Obj) -> None:
    spec, status, namespace = autoscaler["spec"], autoscaler["status"], autoscaler["metadata"]["namespace"]
    target, scale = await _scale(context, namespace, spec["scaleTargetRef"])
    _say(context, status, *_GOT_SCALE)
    current, least, most = int(scale["spec"].get("replicas", 0)), int(spec.get("minReplicas", 1)), spec["maxReplicas"]
    status["currentReplicas"] = int((scale.get("status") or {}).get("replicas", 0))
    memory: _hpa_math.Memory = context.state.setdefault(key, _hpa_math.Memory())
    memory.forget(context.now() - _MEMORY)
    why = ""
    if current == 0 and least != 0:
        wanted = 0
        text = "scaling is disabled since the replica count of the target is zero"
        _say(context, status, "ScalingActive", "False", "ScalingDisabled", text)
    elif current > most:
        wanted, why = most, "Current number of replicas above Spec.MaxReplicas"
    elif current < least:
        wanted, why = least, "Current number of replicas below Spec.MinReplicas"
    else:
        proposal = await _proposed(context, autoscaler, scale, current)
        if proposal.replicas > current:
            why = f"{proposal.name} above target"
        elif proposal.replicas < current:
            why = "All metrics below target"
        paced = _hpa_math.paced(spec, current, proposal.replicas, memory, context.now())
        _say(context, status, "AbleToScale", "True", *paced.able)
        _say(context, status, "ScalingLimited", *paced.limited)
        wanted = paced.replicas
    status["desiredReplicas"] = wanted
    if wanted != current:
        await _rescale(context, autoscaler, target, scale, wanted, why)
        memory.changes.append((context.now(), wanted - current))


async def _scale(context: ControllerContext, namespace: str, ref: dict[str, Any]) -> tuple[Resource, Obj]:
    """The target's resource and Scale. Raises _GivenUp."""
    try:
        resource = (await discover(context.client)).for_kind(ref.get("apiVersion", ""), ref["kind"])
        return resource, await context.client.get(resource, ref["name"], namespace, subresource="scale")
    except (NoMatch, ApiError) as error:
        told = error.message
        text = f"the HPA controller was unable to get the target's current scale: {told}"
        raise _GivenUp("AbleToScale", "FailedGetScale", text, told) from error


async def _proposed(context: ControllerContext, autoscaler: Obj, scale: Obj, current: int) -> Proposal:
    """The most that any metric asks for. Raises _GivenUp if one that fails might have asked for more."""
    spec, status, namespace = autoscaler["spec"], autoscaler["status"], autoscaler["metadata"]["namespace"]
    text = (scale.get("status") or {}).get("selector", "")
    if not text:
        raise _GivenUp("ScalingActive", "InvalidSelector", "the HPA target's scale is missing a selector")
    selector = selectors.parse_label_selector(text)
    found: list[Proposal] = []
    failures: list[Unavailable] = []
    for metric in spec.get("metrics") or ():
        try:
            found.append(await _hpa_metrics.propose(context, namespace, metric, selector, current))
        except Unavailable as error:
            failures.append(error)
            await context.recorder.event(autoscaler, "Warning", error.reason, str(error))
    status["currentMetrics"] = [p.status for p in found] or None
    best = max(found, key=lambda p: p.replicas, default=None)
    if best is None or (failures and best.replicas < current):
        first, asked = failures[0], len(spec["metrics"])
        told = f"invalid metrics ({len(failures)} invalid out of {asked}), first error is: {first}"
        message = f"the HPA was unable to compute the replica count: {first}"
        raise _GivenUp("ScalingActive", first.reason, message, told, "FailedComputeMetricsReplicas")
    message = f"the HPA was able to successfully calculate a replica count from {best.name}"
    _say(context, status, "ScalingActive", "True", "ValidMetricFound", message)
    return best


async def _rescale(
    context: ControllerContext, autoscaler: Obj, target: Resource, scale: Obj, wanted: int, why: str
) -> None:
    status, about = autoscaler["status"], scale["metadata"]
    cause.add_note(reconcile=f"{about['name']}: {scale['spec'].get('replicas', 0)} → {wanted} replicas: {why}")
    new = {**scale, "spec": {**scale["spec"], "replicas": wanted}}
    try:
        await context.client.update(target, new, subresource="scale")
    except ApiError as error:
        text = f"the HPA controller was unable to update the target scale: {error.message}"
        told = f"New size: {wanted}; reason: {why}; error: {error.message}"
        raise _GivenUp("AbleToScale", "FailedUpdateScale", text, told) from error
    text = f"the HPA controller was able to update the target scale to {wanted}"
    _say(context, status, "AbleToScale", "True", "SucceededRescale", text)
    status["lastScaleTime"] = clock.rfc3339(context.now())
    await context.recorder.event(autoscaler, "Normal", "SuccessfulRescale", f"New size: {wanted}; reason: {why}")


CONTROLLER = Controller(
    "horizontal-pod-autoscaler",
    (Watch(AUTOSCALERS, _changed), Watch(PODS, no_keys)),
    reconcile,
    source="horizontal-pod-autoscaler",
)
