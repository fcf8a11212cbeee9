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


def may_restart(policy: str, exit_code: int) -> bool:
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


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
