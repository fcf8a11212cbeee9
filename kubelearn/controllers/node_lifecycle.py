"""Node lifecycle: a node whose Lease is not renewed goes Unknown, is tainted, and its pods are evicted in time.

Keys are node names, and `namespace/name` of pods to evict. Nothing polls: each renewal of a Lease sets the moment at
which the node is looked at again. Evicted pods stay Terminating until their kubelet, or the deletion of the node,
confirms their end: nobody else can know that they have stopped. Source: Kubernetes' pkg/controller/nodelifecycle and
pkg/controller/tainteviction.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.informer import acting_on
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH
from kubelearn.controllers import _conditions, _pods, _taints
from kubelearn.controllers.base import LEASES, NODES, PODS, Controller, ControllerContext, Watch
from kubelearn.kit import clock
from kubelearn.trace import cause

_LEASE_NAMESPACE = "kube-node-lease"
_DEFAULT_LEASE_SECONDS = 40
_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(slots=True)
class _Heartbeat:
    """The newest sign of life, and when, by our own clock, it was seen."""

    sign: tuple[str, str]
    at: datetime


def _by_node(pod: Obj) -> Iterable[str]:
    node = pod["spec"].get("nodeName")
    return (node,) if node else ()


def _lease_keys(context: ControllerContext, _type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    name = new["metadata"]["name"]
    return (name,) if context.informer(NODES).get("", name) is not None else ()


def _pod_keys(_context: ControllerContext, event_type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    """A pod that was bound, or whose tolerations changed, may have to leave its node."""
    if event_type == "DELETED" or not new["spec"].get("nodeName") or _pods.terminating(new):
        return ()
    before = (old["spec"].get("nodeName"), old["spec"].get("tolerations")) if old else None
    now = (new["spec"]["nodeName"], new["spec"].get("tolerations"))
    return (meta.key(new),) if before != now else ()


async def reconcile(context: ControllerContext, key: str) -> None:
    if "/" in key:
        await _evict_in_time(context, key)
        return
    node = context.informer(NODES).get("", key)
    if node is None:
        await _forget(context, key)
        return
    await _register(context, node)
    # One write at a time: the event of each brings us back, and names it as the cause of the next.
    if await _check_heartbeat(context, node) or await _taint(context, node):
        return
    ready = _conditions.get(node.get("status") or {}, "Ready")
    if ready is not None and ready["status"] != "True":
        await _mark_pods_not_ready(context, node)
    seen, now = context.state.setdefault("taints", {}), _taints.no_execute(node)
    if seen.get(key, []) != now:
        seen[key] = now
        for pod in context.informer(PODS).by_index("node", key):
            context.queue.add(meta.key(pod), cause.current())


async def _register(context: ControllerContext, node: Obj) -> None:
    name, known = node["metadata"]["name"], context.state.setdefault("known", {})
    if name not in known:
        known[name] = node
        await _tell(context, node, "RegisteredNode", f"Registered Node {name} in Controller")


async def _forget(context: ControllerContext, name: str) -> None:
    gone = context.state.setdefault("known", {}).get(name)
    for known in context.state.values():
        known.pop(name, None)
    if gone is not None:
        await _tell(context, gone, "RemovingNode", f"Removing Node {name} from Controller")


async def _tell(context: ControllerContext, node: Obj, reason: str, text: str) -> None:
    await context.recorder.event(node, "Normal", reason, f"Node {node['metadata']['name']} event: {text}")


async def _check_heartbeat(context: ControllerContext, node: Obj) -> bool:
    """Set the node Unknown if it has been silent for too long, else come back when it will have been.
    True if it was set."""
    name = node["metadata"]["name"]
    lease = context.informer(LEASES).get(_LEASE_NAMESPACE, name)
    ready = _conditions.get(node.get("status") or {}, "Ready")
    sign = (
        (lease or {}).get("spec", {}).get("renewTime", ""),
        (ready or {}).get("lastHeartbeatTime", ""),
    )
    beats: dict[str, _Heartbeat] = context.state.setdefault("beats", {})
    beat = beats.get(name)
    if beat is None or any(new > old for new, old in zip(sign, beat.sign, strict=True)):
        beat = beats[name] = _Heartbeat(sign, _first_seen(context, node, beat))
    left = (beat.at - context.now()).total_seconds() + _grace(context, node, lease, ready)
    if left > 0:
        context.requeue_after(name, left + 0.05)
        return False
    with cause.acting(acting_on(lease or node)):  # the last sign of life is what this acts upon
        return await _set_unknown(context, node, beat)


def _first_seen(context: ControllerContext, node: Obj, beat: _Heartbeat | None) -> datetime:
    """A node that was known keeps to our clock; one already Unknown when we start gets no new grace."""
    ready = _conditions.get(node.get("status") or {}, "Ready")
    if beat is None and ready is not None and ready["status"] == "Unknown":
        return clock.parse(ready["lastTransitionTime"]) - timedelta(hours=1)
    return context.now()


def _grace(context: ControllerContext, node: Obj, lease: Obj | None, ready: Obj | None) -> float:
    if lease is None and ready is None:
        return context.options.node_startup_grace
    if context.options.node_grace is not None:
        return context.options.node_grace
    return float((lease or {}).get("spec", {}).get("leaseDurationSeconds") or _DEFAULT_LEASE_SECONDS)


async def _set_unknown(context: ControllerContext, node: Obj, beat: _Heartbeat) -> bool:
    status = copy.deepcopy(node.get("status") or {})
    now, changed = context.timestamp(), False
    for type_ in _CONDITIONS:
        old = _conditions.get(status, type_)
        if old is not None and old["status"] == "Unknown":
            continue
        if old is None:
            told = ("NodeStatusNeverUpdated", "Kubelet never posted node status.")
        else:
            told = ("NodeStatusUnknown", "Kubelet stopped posting node status.")
        new = _conditions.make(type_, "Unknown", *told, now)
        first = node["metadata"].get("creationTimestamp", now)
        new["lastHeartbeatTime"] = (old or {}).get("lastHeartbeatTime", first)
        changed |= _conditions.put(status, new)
    if not changed:
        return False
    silent = (context.now() - beat.at).total_seconds()
    cause.add_note(reconcile=f"no heartbeat for {silent:.0f}s → Ready is Unknown")
    node = await context.patch(
        NODES, node, {"status": {"conditions": status["conditions"]}}, STRATEGIC_MERGE_PATCH, "status"
    )
    name = node["metadata"]["name"]
    await context.recorder.event(node, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady")
    return True


async def _taint(context: ControllerContext, node: Obj) -> bool:
    """Give the node the taints that its conditions ask for; True if that changed it."""
    taints = _taints.wanted(node, context.timestamp())
    current = node["spec"].get("taints") or []
    if taints == current:
        return False
    added = [f"{t['key']}:{t['effect']}" for t in taints if t not in current]
    gone = [f"{t['key']}:{t['effect']}" for t in current if t not in taints]
    cause.add_note(taints={"added": added, "removed": gone})
    version = node["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": version}, "spec": {"taints": taints or None}}
    await context.patch(NODES, node, patch)
    return True


async def _mark_pods_not_ready(context: ControllerContext, node: Obj) -> None:
    """Services must stop sending to pods that may be lost: Ready is set False, though nobody asked the pod."""
    for pod in context.informer(PODS).by_index("node", node["metadata"]["name"]):
        if not _pods.ready(pod):
            continue
        old = dict(_pods.condition(pod, "Ready") or {})
        condition = {**old, "status": "False", "lastTransitionTime": context.timestamp()}
        patch = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": {"conditions": [condition]}}
        try:
            await context.patch(PODS, pod, patch, STRATEGIC_MERGE_PATCH, "status")
        except ApiError as error:
            if error.code not in (404, 409):
                raise
            continue
        await context.recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")


async def _evict_in_time(context: ControllerContext, key: str) -> None:
    pod = context.informer(PODS).get(*meta.split_key(key))
    if pod is None or _pods.terminating(pod) or not pod["spec"].get("nodeName"):
        return
    taints = _taints.no_execute(context.informer(NODES).get("", pod["spec"]["nodeName"]))
    now = context.now()
    at = _taints.evict_at(pod, taints, now) if taints else None
    if at is None:
        return
    if at > now:
        context.requeue_after(key, (at - now).total_seconds())
        return
    names = ", ".join(sorted({t["key"] for t in taints}))
    cause.add_note(reconcile=f"node {pod['spec']['nodeName']} has {names} → evict")
    await context.recorder.event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key}")
    told = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")
    condition = _conditions.make("DisruptionTarget", "True", *told, context.timestamp())
    patch = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": {"conditions": [condition]}}
    await context.patch(PODS, pod, patch, STRATEGIC_MERGE_PATCH, "status")
    await context.delete(PODS, pod, {"preconditions": {"uid": pod["metadata"]["uid"]}})


CONTROLLER = Controller(
    "node-lifecycle-controller",
    (
        Watch(NODES),
        Watch(LEASES, _lease_keys, namespace=_LEASE_NAMESPACE),
        Watch(PODS, _pod_keys, {"node": _by_node}),
    ),
    reconcile,
    source="node-controller",
)
