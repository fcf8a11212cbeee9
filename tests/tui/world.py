"""The cluster of the screens: a Deployment of three pods, one of them deleted while the ReplicaSet controller is held."""

from __future__ import annotations

from typing import Any

from kubelearn.trace.cause import Cause
from kubelearn.trace.chain import Span, to_object

Obj = dict[str, Any]
READY = [{"type": "Ready", "status": "True"}]
TRACE = "0123456789abcdef0123456789abcdef"


def meta(name: str, *, namespace: str = "default", owner: tuple[str, str] | None = None, **more: Any) -> Obj:
    found: Obj = {"name": name, "resourceVersion": "184", "uid": name, **more}
    if namespace:
        found["namespace"] = namespace
    if owner:
        found["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return found


def node(name: str) -> Obj:
    return {"metadata": meta(name, namespace=""), "spec": {}, "status": {"conditions": READY}}


def pod(name: str, on: str = "worker-1", ip: str = "10.244.1.4", *, app: str = "web", **more: Any) -> Obj:
    about = meta(name, owner=("ReplicaSet", "web-7d4b9"), labels={"app": app}, **more)
    status = {"phase": "Running", "podIP": ip, "conditions": READY}
    return {"metadata": about, "spec": {"nodeName": on, "containers": []}, "status": status}


def gate(name: str, *, paused: bool = False, waiting: tuple[tuple[str, str, int], ...] = ()) -> Obj:
    events = [{"resource": "pods", "name": n, "type": t, "revision": r} for n, t, r in waiting]
    return {
        "metadata": meta(name, namespace=""),
        "spec": {"paused": paused},
        "status": {"waiting": events, "delivered": 0},
    }


def span(revision: int, actor: str, after: float, what: str, summary: str, command: str = "") -> Obj:
    resource, _, name = what.partition("/")
    cause = Cause(TRACE, f"{revision:016x}", revision - 1, actor, "update", 1_700_000_000 + after, command)
    return to_object(Span(revision, cause, "MODIFIED", resource, "default", name, summary))


def world() -> dict[str, list[Obj]]:
    doomed = pod("web-7d4b9-hh2wz", "worker-1", "10.244.1.5", deletionTimestamp="2026-01-01T00:00:00Z")
    endpoints = [
        {"targetRef": {"kind": "Pod", "name": n}, "conditions": {"ready": True}}
        for n in ("web-7d4b9-k2pxm", "web-7d4b9-9xqtc")
    ]
    slices = {"metadata": meta("web-x", labels={"kubernetes.io/service-name": "web"}), "endpoints": endpoints}
    return {
        "nodes": [node("worker-1"), node("worker-2")],
        "pods": [pod("web-7d4b9-k2pxm"), doomed, pod("web-7d4b9-9xqtc", "worker-2", "10.244.2.3")],
        "deployments": [{"metadata": meta("web"), "spec": {"replicas": 3}, "status": {"readyReplicas": 2}}],
        "replicasets": [
            {
                "metadata": meta("web-7d4b9", owner=("Deployment", "web")),
                "spec": {"replicas": 3},
                "status": {"readyReplicas": 2},
            }
        ],
        "services": [{"metadata": meta("web"), "spec": {"clusterIP": "10.96.0.17", "ports": [{"port": 80}]}}],
        "endpointslices": [slices],
        "gates": [
            *(gate(n) for n in ("coredns", "deployment-controller", "kube-proxy-worker-1", "kube-proxy-worker-2")),
            *(gate(n) for n in ("kube-scheduler", "kubelet-worker-1", "kubelet-worker-2")),
            gate("replicaset-controller", paused=True, waiting=(("web-7d4b9-hh2wz", "MODIFIED", 183),)),
        ],
        "spans": [
            span(183, "ann", 0, "pods/web-7d4b9-hh2wz", "deletionTimestamp set", "kubectl delete pod web-7d4b9-hh2wz"),
            span(184, "kubelet-worker-1", 0.0171, "pods/web-7d4b9-hh2wz", "Ready False (ContainersNotReady)"),
        ],
    }
