"""Reading a pod: the few questions that several parts of the kubelet ask."""

from __future__ import annotations

from kubelearn.api.resource import Obj


def key(pod: Obj) -> str:
    """`web-1_default(UID)`: how the kubelet names a pod in messages."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({meta['uid']})"


def init_containers(pod: Obj) -> list[Obj]:
    return list(pod["spec"].get("initContainers") or ())


def containers(pod: Obj) -> list[Obj]:
    return list(pod["spec"].get("containers") or ())


def ephemeral_containers(pod: Obj) -> list[Obj]:
    """What `kubectl debug` has added to the running pod."""
    return list(pod["spec"].get("ephemeralContainers") or ())


def every_container(pod: Obj) -> list[Obj]:
    return init_containers(pod) + containers(pod) + ephemeral_containers(pod)


def is_sidecar(container: Obj) -> bool:
    """Only asked of init containers."""
    return container.get("restartPolicy") == "Always"


def restart_policy(pod: Obj) -> str:
    policy: str = pod["spec"].get("restartPolicy", "Always")
    return policy


def may_restart(pod: Obj, container: Obj, exit_code: int) -> bool:
    """After it has ended with that code: by its own rules, by its own policy, else by the pod's. An init container that
    is no sidecar runs until it succeeds."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        if (exit_code in codes.get("values", ())) == (codes.get("operator") == "In"):
            return True
    policy = container.get("restartPolicy") or restart_policy(pod)
    init = any(c["name"] == container["name"] for c in init_containers(pod))
    if init and not is_sidecar(container) and policy == "Always":
        policy = "OnFailure"
    return bool(policy == "Always" or (policy == "OnFailure" and exit_code != 0))


def is_terminal(pod: Obj) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def grace_seconds(pod: Obj) -> int:
    """What the deletion says, else what the pod says."""
    asked = pod["metadata"].get("deletionGracePeriodSeconds")
    return int(asked if asked is not None else pod["spec"].get("terminationGracePeriodSeconds", 30))


def old_status(pod: Obj, name: str) -> Obj:
    """The container's status that the API has, empty if none."""
    status = pod.get("status", {})
    lists = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
    every = [s for part in lists for s in status.get(part) or ()]
    return next((s for s in every if s["name"] == name), {})
