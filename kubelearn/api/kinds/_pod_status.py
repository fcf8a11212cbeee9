"""The words of `kubectl get pods`: what state a pod is in, judged from its status as Kubernetes' printer does."""

from __future__ import annotations

from dataclasses import dataclass

from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import age
from kubelearn.api.resource import Obj


@dataclass(slots=True)
class _Restarts:
    """How often, and when last (an RFC 3339 time, which orders as text)."""

    count: int = 0
    last: str = ""

    def add(self, status: Obj) -> None:
        self.count += r.count(status, "restartCount")
        self.last = max(self.last, r.text(r.mapping(status, "lastState", "terminated"), "finishedAt"))

    def __str__(self) -> str:
        if self.count and self.last:
            return f"{self.count} ({age(self.last)} ago)"
        return str(self.count)


@dataclass(frozen=True, slots=True)
class PodStatus:
    ready: str
    reason: str
    restarts: str


def is_sidecar(container: Obj) -> bool:
    return r.text(container, "restartPolicy") == "Always"


def _is_true(obj: Obj, kind: str) -> bool:
    return r.text(r.condition(obj, kind), "status") == "True"


def _exit_word(terminated: Obj) -> str:
    if reason := r.text(terminated, "reason"):
        return reason
    if signal := r.count(terminated, "signal"):
        return f"Signal:{signal}"
    return f"ExitCode:{r.count(terminated, 'exitCode')}"


@dataclass(slots=True)
class _Init:
    reason: str
    initializing: bool
    restarts: _Restarts
    sidecar_restarts: _Restarts
    ready_sidecars: int = 0


def _init_containers(obj: Obj, reason: str) -> _Init:
    """Walk the init containers up to the first that is not done."""
    spec = {r.text(c, "name"): c for c in r.objects(r.mapping(obj, "spec"), "initContainers")}
    out = _Init(reason, False, _Restarts(), _Restarts())
    for index, status in enumerate(r.objects(r.mapping(obj, "status"), "initContainerStatuses")):
        sidecar = is_sidecar(spec.get(r.text(status, "name"), {}))
        state = r.mapping(status, "state")
        out.restarts.add(status)
        if sidecar:
            out.sidecar_restarts.add(status)
        terminated, waiting = r.mapping(state, "terminated"), r.text(r.mapping(state, "waiting"), "reason")
        if r.has(state, "terminated") and r.count(terminated, "exitCode") == 0:
            continue
        if sidecar and r.flag(status, "started"):
            out.ready_sidecars += r.flag(status, "ready")
            continue
        out.initializing = True
        if r.has(state, "terminated"):
            out.reason = f"Init:{_exit_word(terminated)}"
        elif waiting and waiting != "PodInitializing":
            out.reason = f"Init:{waiting}"
        else:
            out.reason = f"Init:{index}/{len(spec)}"
        break
    return out


def _containers(obj: Obj, reason: str, restarts: _Restarts) -> tuple[str, int]:
    """The reason, and how many regular containers are ready; the first container has the last word."""
    ready, running = 0, False
    for status in reversed(r.objects(r.mapping(obj, "status"), "containerStatuses")):
        restarts.add(status)
        state = r.mapping(status, "state")
        if waiting := r.text(r.mapping(state, "waiting"), "reason"):
            reason = waiting
        elif r.has(state, "terminated"):
            reason = _exit_word(r.mapping(state, "terminated"))
        elif r.flag(status, "ready") and r.has(state, "running"):
            running = True
            ready += 1
    if reason == "Completed" and running:
        reason = "Running" if _is_true(obj, "Ready") else "NotReady"
    return reason, ready


def pod_status(obj: Obj) -> PodStatus:
    spec, status = r.mapping(obj, "spec"), r.mapping(obj, "status")
    phase = r.text(status, "phase")
    reason = r.text(status, "reason") or phase
    if r.text(r.condition(obj, "PodScheduled"), "reason") == "SchedulingGated":
        reason = "SchedulingGated"
    init = _init_containers(obj, reason)
    reason, restarts, ready = init.reason, init.restarts, init.ready_sidecars
    if not init.initializing or _is_true(obj, "Initialized"):
        restarts = init.sidecar_restarts
        reason, running = _containers(obj, reason, restarts)
        ready += running
    if r.text(r.mapping(obj, "metadata"), "deletionTimestamp"):
        if r.text(status, "reason") == "NodeLost":
            reason = "Unknown"
        elif phase not in ("Failed", "Succeeded"):
            reason = "Terminating"
    sidecars = sum(is_sidecar(c) for c in r.objects(spec, "initContainers"))
    total = len(r.objects(spec, "containers")) + sidecars
    return PodStatus(f"{ready}/{total}", reason, str(restarts))
