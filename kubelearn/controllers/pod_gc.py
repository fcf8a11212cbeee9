"""Pods that no kubelet will ever end: on a node that is deleted or declared out of service, or never bound.

A pod on a node that is merely unreachable is left alone: it may still run. Source: Kubernetes' pkg/controller/podgc.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH
from kubelearn.controllers import _conditions, _pods, _taints
from kubelearn.controllers.base import NODES, PODS, Controller, ControllerContext, Watch
from kubelearn.trace import cause


def _by_node(pod: Obj) -> Iterable[str]:
    node = pod["spec"].get("nodeName")
    return (node,) if node else ()


def _node_keys(context: ControllerContext, _type: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    return [meta.key(pod) for pod in context.informer(PODS).by_index("node", new["metadata"]["name"])]


async def reconcile(context: ControllerContext, key: str) -> None:
    pod = context.informer(PODS).get(*meta.split_key(key))
    if pod is None:
        return
    name = pod["spec"].get("nodeName")
    if not name:
        if _pods.terminating(pod):
            cause.add_note(reconcile=f"pod {key} was never bound and is to be deleted → remove it")
            await _remove(context, pod, "")
        return
    node = context.informer(NODES).get("", name)
    if node is None:
        await _when_still_missing(context, key, pod, name)
    elif _pods.terminating(pod) and _out_of_service(node):
        cause.add_note(reconcile=f"node {name} is out of service → remove pod {key}")
        await _remove(context, pod, "PodGC: node is out of service")


async def _when_still_missing(context: ControllerContext, key: str, pod: Obj, name: str) -> None:
    """A node may be deleted and come back under its name: wait, then ask the server itself."""
    missing = context.state.setdefault("missing", {})
    since = missing.setdefault(name, context.now())
    left = context.options.pod_gc_quarantine - (context.now() - since).total_seconds()
    if left > 0:
        context.requeue_after(key, left)
        return
    try:
        await context.client.get(NODES, name)
    except ApiError as error:
        if error.code != 404:
            raise
        cause.add_note(reconcile=f"node {name} no longer exists → remove pod {key}")
        await _remove(context, pod, "PodGC: node no longer exists")


def _out_of_service(node: Obj) -> bool:
    ready = _conditions.get(node.get("status") or {}, "Ready")
    taints = node["spec"].get("taints") or []
    declared = any(t["key"] == _taints.OUT_OF_SERVICE for t in taints)
    return declared and (ready is None or ready["status"] != "True")


async def _remove(context: ControllerContext, pod: Obj, why: str) -> None:
    """Say in the status what happened to it, then delete it without waiting for anybody."""
    if why and not _pods.finished(pod):
        condition = _conditions.make("DisruptionTarget", "True", "DeletionByPodGC", why, context.timestamp())
        patch = {
            "metadata": {"uid": pod["metadata"]["uid"]},
            "status": {"phase": "Failed", "conditions": [condition]},
        }
        pod = await context.patch(PODS, pod, patch, STRATEGIC_MERGE_PATCH, "status")
    uid = pod["metadata"]["uid"]
    await context.delete(PODS, pod, {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}})


def _forget_returned(context: ControllerContext, event_type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    """A node that is there is not missing; one that goes concerns its pods."""
    if event_type != "DELETED":
        context.state.get("missing", {}).pop(new["metadata"]["name"], None)
    return _node_keys(context, event_type, old, new)


CONTROLLER = Controller(
    "pod-garbage-collector",
    (Watch(PODS, indexes={"node": _by_node}), Watch(NODES, _forget_returned)),
    reconcile,
    workers=1,
)
