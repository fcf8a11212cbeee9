"""A pod's status from its containers: phase, conditions, container statuses, addresses. Pure.

After the kubelet's getPhase, generateAPIPodStatus and convertToAPIContainerStatuses (Kubernetes 1.36).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from kubelearn.api.cri import Container
from kubelearn.api.resource import Obj
from kubelearn.kit.clock import rfc3339
from kubelearn.node.kubelet import podspec
from kubelearn.node.kubelet.runtime_state import PodRuntime

#: True or not, reason, message.
Verdict = tuple[bool, str, str]
_TERMINAL = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class View:
    """`waiting` gives reason and message of containers that wait for something else than their turn;
    `started` and `ready` are the probes' verdicts on running containers, `in_hook` says whether a postStart hook still
    runs: such a container is not said to run yet. `end` (reason, message) fails the pod."""

    runtime: PodRuntime
    engine: str
    node_ip: str
    now: datetime
    waiting: Mapping[str, tuple[str, str]]
    started: Callable[[Container], bool]
    ready: Callable[[Container], bool]
    deleting: bool = False
    end: tuple[str, str] | None = None
    in_hook: Callable[[str], bool] = lambda _: False
    last_words: Callable[[str], str] = lambda _: ""


def pod_status(pod: Obj, view: View) -> Obj:
    """The whole status; what others own of it (other conditions) is left out, for a strategic merge keeps it."""
    old = pod.get("status", {})
    init = [_container_status(pod, c, view, init=True) for c in podspec.init_containers(pod)]
    main = [_container_status(pod, c, view) for c in podspec.containers(pod)]
    phase = old["phase"] if podspec.is_terminal(pod) else _phase(pod, init, main, view)
    end = None if podspec.is_terminal(pod) else view.end
    if (end or phase in _TERMINAL) and view.runtime.running() and not podspec.is_terminal(pod):
        phase, end = old.get("phase", "Running"), None  # a pod has not ended while something of it runs
    _settle(pod, phase, init, main)
    sandbox = view.runtime.sandbox()
    status: Obj = {
        "observedGeneration": pod["metadata"].get("generation", 1),
        "phase": phase,
        "hostIP": view.node_ip,
        "hostIPs": [{"ip": view.node_ip}],
        "startTime": old.get("startTime") or rfc3339(view.now),
        "qosClass": old.get("qosClass", "BestEffort"),
    }
    ip = sandbox.ip if sandbox else old.get("podIP", "")
    if ip:
        status |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    if end:
        status |= {"phase": "Failed", "reason": end[0], "message": end[1]}
    if init:
        status["initContainerStatuses"] = init
    status["containerStatuses"] = main
    if extra := [_ephemeral_status(pod, c, view) for c in podspec.ephemeral_containers(pod)]:
        status["ephemeralContainerStatuses"] = extra
    status["conditions"] = _conditions(pod, status, init, main, view)
    return status


def _time(seconds: float) -> str:
    return rfc3339(datetime.fromtimestamp(seconds, UTC))


def _terminated(container: Container, view: View) -> Obj:
    out: Obj = {
        "exitCode": container.exit_code,
        "reason": container.reason or ("Completed" if container.exit_code == 0 else "Error"),
        "startedAt": _time(container.started_at),
        "finishedAt": _time(container.finished_at),
        "containerID": f"{view.engine}://{container.id}",
    }
    if message := ": ".join(filter(None, (container.message, view.last_words(container.id)))):
        out["message"] = message
    return {"terminated": out}


def _container_status(pod: Obj, spec: Obj, view: View, *, init: bool = False) -> Obj:
    name = spec["name"]
    lives = view.runtime.of(name)
    sidecar = init and podspec.is_sidecar(spec)
    old = podspec.old_status(pod, name)
    if not lives:
        return _never_ran(pod, spec, view, old)
    current = lives[0]
    running = current.state == "RUNNING" and not (view.in_hook(current.id) and not view.deleting)
    last = lives[1] if len(lives) > 1 else None
    state: Obj = {"running": {"startedAt": _time(current.started_at)}} if running else {}
    if current.state == "EXITED":
        state = _terminated(current, view)
        if name in view.waiting and podspec.may_restart(pod, spec, current.exit_code):
            state, last = _waiting(view.waiting[name]), current
    elif not running:
        state = _waiting(view.waiting.get(name) or _default_wait(pod))
    started = running and view.started(current)
    ready = started and view.ready(current)
    if init and not sidecar:
        ready, started = current.state == "EXITED" and current.exit_code == 0, False
    out: Obj = {
        "name": name,
        "state": state,
        "lastState": _terminated(last, view) if last and last.state == "EXITED" else {},
        "ready": ready and not (view.deleting and not running and not init),
        "restartCount": current.attempt,
        "image": current.image,
        "imageID": current.image_id,
        "containerID": f"{view.engine}://{current.id}",
        "started": started,
    }
    return out | _declared(spec)


def _ephemeral_status(pod: Obj, spec: Obj, view: View) -> Obj:
    """Neither ready nor started count for these: they only run, once."""
    return _container_status(pod, spec, view) | {"ready": False, "started": False}


def _declared(spec: Obj) -> Obj:
    """What 1.36 repeats of the spec in a started container's status."""
    out: Obj = {}
    resources = spec.get("resources") or {}
    if requests := resources.get("requests"):
        out["allocatedResources"] = requests
    out["resources"] = {k: v for k, v in resources.items() if k in ("limits", "requests")}
    mounts = [
        {"name": m["name"], "mountPath": m["mountPath"]}
        | ({"readOnly": True, "recursiveReadOnly": "Disabled"} if m.get("readOnly") else {})
        for m in spec.get("volumeMounts") or ()
    ]
    if mounts:
        out["volumeMounts"] = mounts
    return out


def _never_ran(pod: Obj, spec: Obj, view: View, old: Obj) -> Obj:
    name = spec["name"]
    out: Obj = {
        "name": name,
        "state": _waiting(view.waiting.get(name) or _default_wait(pod)),
        "lastState": old.get("lastState") or {},
        "ready": False,
        "restartCount": old.get("restartCount", 0),
        "image": spec["image"],
        "imageID": "",
        "started": False,
    }
    if old.get("containerID") and old.get("state", {}).get("terminated"):
        return {**old, "ready": old.get("ready", False) and podspec.is_terminal(pod)}
    return out


def _waiting(why: tuple[str, str]) -> Obj:
    reason, message = why
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def _default_wait(pod: Obj) -> tuple[str, str]:
    return ("PodInitializing" if podspec.init_containers(pod) else "ContainerCreating", "")


def _settle(pod: Obj, phase: str, init: list[Obj], main: list[Obj]) -> None:
    """In a pod that has ended, nothing waits any more: what never ran is said to have ended by unknown cause."""
    if phase not in _TERMINAL or not pod["metadata"].get("deletionTimestamp"):
        return
    for status in [*init, *main]:
        if "waiting" in status["state"] and not status["lastState"]:
            status["state"] = {
                "terminated": {
                    "exitCode": 137,
                    "reason": "ContainerStatusUnknown",
                    "message": "The container could not be located when the pod was terminated",
                    "startedAt": None,
                    "finishedAt": None,
                }
            }


def _phase(pod: Obj, init: list[Obj], main: list[Obj], view: View) -> str:
    pending, failed = _initialization(pod, init)
    if failed:
        return "Failed"
    running = sum(1 for s in main if "running" in s["state"])
    ended = [s for s in main if "terminated" in s["state"] or "terminated" in s["lastState"]]
    ended = [s for s in ended if "running" not in s["state"]]
    waiting = len(main) - running - len(ended)
    succeeded = [s for s in ended if s["state"].get("terminated", {}).get("exitCode") == 0]
    if view.deleting and not running:
        return "Succeeded" if ended and len(succeeded) == len(main) else "Failed"
    if pending or waiting:
        return "Pending"
    if running or any(_goes_on(pod, spec, s) for spec, s in zip(podspec.containers(pod), main, strict=True)):
        return "Running"
    return "Succeeded" if len(succeeded) == len(ended) else "Failed"


def _goes_on(pod: Obj, spec: Obj, status: Obj) -> bool:
    """It has ended, to be started again."""
    ended = status["state"].get("terminated") or status["lastState"].get("terminated") or {}
    return podspec.may_restart(pod, spec, ended.get("exitCode", 0))


def _initialization(pod: Obj, init: list[Obj]) -> tuple[bool, bool]:
    """Whether initialization is still to be finished, and whether it has failed for good."""
    begun = any(podspec.old_status(pod, c["name"]).get("containerID") for c in podspec.containers(pod))
    pending = failed = False
    for spec, status in zip(podspec.init_containers(pod), init, strict=True):
        ended = status["state"].get("terminated")
        if podspec.is_sidecar(spec):
            pending |= not begun and not status["started"] and not ended
        elif ended is None:
            pending |= not begun
        elif podspec.may_restart(pod, spec, ended["exitCode"]):
            pending = True
        elif ended["exitCode"] != 0:
            failed = True
    return pending, failed


def _conditions(pod: Obj, status: Obj, init: list[Obj], main: list[Obj], view: View) -> list[Obj]:
    sidecars = {c["name"] for c in podspec.init_containers(pod) if podspec.is_sidecar(c)}
    incomplete = [s["name"] for s in init if not (s["started"] if s["name"] in sidecars else s["ready"])]
    if any("containerID" in s for s in main) and not any(s["name"] not in sidecars for s in init if not s["ready"]):
        incomplete = []
    unready = [s["name"] for s in [*init, *main] if not s["ready"] and (s in main or s["name"] in sidecars)]
    phase = status["phase"]
    initialized, ready = _listed("NotInitialized", "incomplete", incomplete), _listed("NotReady", "unready", unready)
    if phase == "Succeeded":
        initialized, ready = (True, "PodCompleted", ""), (False, "PodCompleted", "")
    elif phase == "Failed":
        ready = (False, "PodFailed", "")
    gates = _gates(pod)
    wanted = [
        ("PodReadyToStartContainers", (view.runtime.sandbox() is not None, "", "")),
        ("Initialized", initialized),
        ("Ready", (False, "ReadinessGatesNotReady", gates) if ready[0] and gates else ready),
        ("ContainersReady", ready),
        ("PodScheduled", (True, "", "")),
    ]
    if phase == "Failed" and status.get("reason") == "Evicted":
        wanted.append(("DisruptionTarget", (True, "TerminationByKubelet", status["message"])))
    return [_condition(pod, name, verdict, view) for name, verdict in wanted]


def _listed(reason: str, word: str, names: list[str]) -> Verdict:
    """True when no container is named."""
    if not names:
        return True, "", ""
    return False, f"Containers{reason}", f"containers with {word} status: [{' '.join(names)}]"


def _gates(pod: Obj) -> str:
    have = {c["type"]: c.get("status") for c in pod.get("status", {}).get("conditions") or ()}
    problems = []
    for gate in (g["conditionType"] for g in pod["spec"].get("readinessGates") or ()):
        if gate not in have:
            problems.append(f'corresponding condition of pod readiness gate "{gate}" does not exist.')
        elif have[gate] != "True":
            problems.append(f'the status of pod readiness gate "{gate}" is not "True", but {have[gate]}')
    return ", ".join(problems)


def _condition(pod: Obj, name: str, verdict: Verdict, view: View) -> Obj:
    """The time of the last transition is kept while the condition's status stays."""
    ok, reason, message = verdict
    text = "True" if ok else "False"
    old: Obj = next((c for c in pod.get("status", {}).get("conditions") or () if c["type"] == name), {})
    since = old.get("lastTransitionTime") if old.get("status") == text else None
    out: Obj = {
        "type": name,
        "status": text,
        "lastProbeTime": None,
        "lastTransitionTime": since or rfc3339(view.now),
        "observedGeneration": pod["metadata"].get("generation", 1),
    }
    if reason or old.get("reason"):
        out |= {"reason": reason or None, "message": message or None}
    return out
