"""DaemonSet: one pod on every node that takes it, replaced node by node when the template changes.

The scheduler places the pods, each bound by affinity to its node. Source: Kubernetes'
pkg/controller/daemon/daemon_controller.go and update.go.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field

from kubelearn.api import meta, placement
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers import _adoption, _deployment_math, _pod_control, _pods, _revisions
from kubelearn.controllers._revisions import REVISIONS
from kubelearn.controllers.base import (
    NODES,
    PODS,
    Controller,
    ControllerContext,
    Watch,
    by_controller_uid,
)
from kubelearn.trace import cause

DAEMONSETS = Resource("apps", "v1", "DaemonSet", "daemonsets", "daemonset", True)
_GENERATION = "pod-template-generation"
_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_BURST = 250
#: What daemons put up with wherever they run. Source: pkg/controller/daemon/util.
_TOLERATED = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)


def _node_keys(context: ControllerContext, event_type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    """Heartbeats change neither labels nor taints."""

    def matters(node: Obj) -> tuple[object, ...]:
        return node["metadata"].get("labels"), node["spec"].get("taints"), node["spec"].get("unschedulable")

    if event_type == "MODIFIED" and old is not None and matters(old) == matters(new):
        return ()
    return [meta.key(ds) for ds in context.informer(DAEMONSETS).items()]


@dataclass(slots=True)
class _Plan:
    """Which nodes want a pod, which pods are there by node, and which of them are out of place."""

    wanted: list[str] = field(default_factory=list)
    pods: dict[str, list[Obj]] = field(default_factory=dict)
    misplaced: list[Obj] = field(default_factory=list)


def node_of(pod: Obj) -> str:
    """Where the pod is, or where its affinity says it will be."""
    if name := pod["spec"].get("nodeName"):
        return str(name)
    required = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or {}
    for term in required.get("nodeSelectorTerms") or ():
        for requirement in term.get("matchFields") or ():
            if requirement.get("key") == "metadata.name" and len(requirement.get("values") or ()) == 1:
                return str(requirement["values"][0])
    return ""


def runs_on(ds: Obj, node: Obj) -> tuple[bool, bool]:
    """(a pod should be started there, a pod that is there may stay)."""
    spec, name = ds["spec"]["template"]["spec"], node["metadata"]["name"]
    if spec.get("nodeName") not in (None, "", name):
        return False, False
    if not placement.matches_required(spec, name, node["metadata"].get("labels") or {}):
        return False, False
    tolerations, taints = tolerated(spec), node["spec"].get("taints") or []
    starts = not placement.untolerated(tolerations, taints, ("NoSchedule", "NoExecute"))
    return starts, not placement.untolerated(tolerations, taints, ("NoExecute",))


def tolerated(spec: Obj) -> list[Obj]:
    """The template's tolerations and a daemon's own."""
    own = [{"key": f"node.kubernetes.io/{k}", "operator": "Exists", "effect": e} for k, e in _TOLERATED]
    if spec.get("hostNetwork"):
        own.append({"key": "node.kubernetes.io/network-unavailable", "operator": "Exists", "effect": "NoSchedule"})
    given = spec.get("tolerations") or []
    return [*given, *(t for t in own if t not in given)]


async def reconcile(context: ControllerContext, key: str) -> None:
    ds = context.informer(DAEMONSETS).get(*meta.split_key(key))
    if ds is None or "deletionTimestamp" in ds["metadata"]:
        return
    pods = await _adoption.claim(context, ds, PODS, _adoption.candidates(context, ds, PODS))
    labels = (ds["spec"]["template"].get("metadata") or {}).get("labels") or {}
    revision = await _revisions.current(context, ds, {**labels, _revisions.HASH_LABEL: "{hash}"})
    failure = await _act(context, ds, revision, _plan(context, ds, pods))
    owned = context.informer(PODS).by_index("controller", ds["metadata"]["uid"])
    await _write_status(context, ds, revision, _plan(context, ds, owned))
    used = [(p["metadata"].get("labels") or {}).get(_revisions.HASH_LABEL, "") for p in owned]
    await _revisions.truncate(context, ds, [*used, _revisions.hash_of(revision)])
    if failure is not None:
        raise failure


def _plan(context: ControllerContext, ds: Obj, pods: Iterable[Obj]) -> _Plan:
    plan = _Plan()
    for pod in pods:
        plan.pods.setdefault(node_of(pod), []).append(pod)
    for node in context.informer(NODES).items():
        name = node["metadata"]["name"]
        starts, stays = runs_on(ds, node)
        if starts:
            plan.wanted.append(name)
        if not starts and not stays:
            plan.misplaced += plan.pods.get(name, [])
    return plan


async def _act(context: ControllerContext, ds: Obj, revision: Obj, plan: _Plan) -> ApiError | None:
    missing: list[str] = []
    surplus = [p for p in plan.misplaced if not _pods.terminating(p)]
    for name in plan.wanted:
        alive = [p for p in plan.pods.get(name, []) if not _pods.terminating(p)]
        for pod in [p for p in alive if _pods.finished(p)]:
            text = f"Found failed daemon pod {meta.key(pod)} on node {name}, will try to kill it"
            await context.recorder.event(ds, "Warning", "FailedDaemonPod", text)
            surplus.append(pod)
        good = [p for p in alive if not _pods.finished(p)]
        if not plan.pods.get(name):
            missing.append(name)
        elif len(good) > 1:
            surplus += sorted(good, key=lambda p: str(p["metadata"]["creationTimestamp"]))[1:]
    if not missing and not surplus:
        surplus = _outdated(context, ds, revision, plan)
    if missing or surplus:
        cause.add_note(reconcile=f"{len(plan.wanted)} nodes → create {len(missing)}, delete {len(surplus)}")
    refused = await _pod_control.delete_all(context, ds, surplus)
    new = [_make(ds, name, revision) for name in missing[:_BURST]]
    return refused or await _pod_control.slow_start(new, lambda pod: _pod_control.create(context, ds, pod))


def _outdated(context: ControllerContext, ds: Obj, revision: Obj, plan: _Plan) -> list[Obj]:
    """Pods of an older template that may go now: those that are no use, and as many others as maxUnavailable lets."""
    strategy = ds["spec"].get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        return []
    rolling = strategy.get("rollingUpdate") or {}
    may_miss = _deployment_math.scaled(rolling.get("maxUnavailable", 1), len(plan.wanted), True)
    unavailable = 0
    useless: list[Obj] = []
    useful: list[Obj] = []
    for name in plan.wanted:
        pods = [p for p in plan.pods.get(name, []) if not _pods.terminating(p)]
        available = any(_available(context, ds, p) for p in pods)
        unavailable += not available
        stale = [p for p in pods if not _has(p, revision)]
        (useful if available else useless).extend(stale)
    return [*useless, *useful[: max(0, may_miss - unavailable)]]


def _available(context: ControllerContext, ds: Obj, pod: Obj) -> bool:
    wait = _pods.available_in(pod, ds["spec"].get("minReadySeconds", 0), context.now())
    if wait:
        context.requeue_after(meta.key(ds), wait)
    return wait == 0


def _has(pod: Obj, revision: Obj) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return bool(labels.get(_revisions.HASH_LABEL) == _revisions.hash_of(revision))


def _make(ds: Obj, node: str, revision: Obj) -> Obj:
    pod = _pod_control.pod_from_template(ds)
    labels = pod["metadata"].setdefault("labels", {})
    labels[_revisions.HASH_LABEL] = _revisions.hash_of(revision)
    labels[_GENERATION] = (ds["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION, "1")
    spec = pod["spec"]
    spec["tolerations"] = tolerated(spec)
    affinity = spec.setdefault("affinity", {}).setdefault("nodeAffinity", {})
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    required = copy.deepcopy(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {})
    terms = required.get("nodeSelectorTerms") or [{}]
    required["nodeSelectorTerms"] = [{**term, "matchFields": [field]} for term in terms]
    affinity["requiredDuringSchedulingIgnoredDuringExecution"] = required
    return pod


async def _write_status(context: ControllerContext, ds: Obj, revision: Obj, plan: _Plan) -> None:
    first = [
        min(pods, key=lambda p: (_pods.terminating(p), str(p["metadata"]["creationTimestamp"])))
        for name in plan.wanted
        if (pods := plan.pods.get(name))
    ]
    known = {node["metadata"]["name"] for node in context.informer(NODES).items()}
    available = sum(_available(context, ds, p) for p in first)
    counts = {
        "currentNumberScheduled": len(first),
        "numberMisscheduled": sum(name in known and name not in plan.wanted for name in plan.pods),
        "desiredNumberScheduled": len(plan.wanted),
        "numberReady": sum(map(_pods.ready, first)),
        "observedGeneration": ds["metadata"].get("generation", 0),
        "updatedNumberScheduled": sum(_has(p, revision) for p in first),
        "numberAvailable": available,
        "numberUnavailable": len(plan.wanted) - available,
    }
    optional = ("updatedNumberScheduled", "numberAvailable", "numberUnavailable")
    status = {name: count for name, count in counts.items() if count or name not in optional}
    if status != (ds.get("status") or {}):
        await context.update(DAEMONSETS, {**ds, "status": status}, "status")


CONTROLLER = Controller(
    "daemon-set-controller",
    (
        Watch(DAEMONSETS, indexes={"controller": by_controller_uid}),
        Watch(PODS, _adoption.pod_keys(DAEMONSETS), {"controller": by_controller_uid}),
        Watch(NODES, _node_keys),
        Watch(REVISIONS, lambda *_: (), {"controller": by_controller_uid}),
    ),
    reconcile,
)
