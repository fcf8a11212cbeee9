"""What Docker says of a container, as the runtime interface's objects. Pure.

A container's labels hold everything a runtime must know of it: a new control plane adopts it from them alone.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any, Literal

from kubelearn.api.cri import Container, ContainerConfig, CriError, Sandbox, SandboxConfig, Security
from kubelearn.engines._docker_api import CLUSTER, NODE, ROLE

SANDBOX_ROLE, CONTAINER_ROLE, NODE_ROLE = "sandbox", "container", "node"
POD_UID = "kubelearn.dev/pod-uid"
_POD_NAME = "kubelearn.dev/pod-name"
_POD_NAMESPACE = "kubelearn.dev/pod-namespace"
_SANDBOX = "kubelearn.dev/sandbox"
_NAME = "kubelearn.dev/container"
_IMAGE = "kubelearn.dev/image"
_ATTEMPT = "kubelearn.dev/attempt"
_IP = "kubelearn.dev/ip"

#: The kubelet's containerLogMaxSize and containerLogMaxFiles.
LOG_OPTIONS = {"max-size": "10m", "max-file": "5"}

Inspected = dict[str, Any]


@dataclass(slots=True)
class Found:
    """One of a node's containers as it was last seen; `view` is what the kubelet gets."""

    id: str
    role: str
    node: str
    pod_uid: str
    tty: bool
    stop_signal: str
    view: Sandbox | Container

    @property
    def running(self) -> bool:
        return self.view.state in ("READY", "RUNNING")


def sandbox_labels(cluster: str, node: str, ip: str, config: SandboxConfig) -> dict[str, str]:
    """The pod's own labels are Kubernetes' affair; these are ours."""
    return {
        CLUSTER: cluster,
        NODE: node,
        ROLE: SANDBOX_ROLE,
        POD_UID: config.pod_uid,
        _POD_NAME: config.pod_name,
        _POD_NAMESPACE: config.pod_namespace,
        _ATTEMPT: str(config.attempt),
        _IP: ip,
    }


def container_labels(sandbox: Sandbox, cluster: str, node: str, config: ContainerConfig) -> dict[str, str]:
    return {
        CLUSTER: cluster,
        NODE: node,
        ROLE: CONTAINER_ROLE,
        POD_UID: sandbox.pod_uid,
        _POD_NAME: sandbox.pod_name,
        _POD_NAMESPACE: sandbox.pod_namespace,
        _SANDBOX: sandbox.id,
        _NAME: config.name,
        _IMAGE: config.image,
        _ATTEMPT: str(config.attempt),
    }


def security_options(security: Security, sandbox_id: str) -> dict[str, Any]:
    """For Docker's host configuration. Docker gives RuntimeDefault's seccomp profile to whoever says nothing; so does
    kubelearn, unlike a kubelet without --seccomp-default."""
    options = ["no-new-privileges"] if security.no_new_privileges else []
    if security.seccomp == "Unconfined":
        options.append("seccomp=unconfined")
    elif security.seccomp == "Localhost":
        raise CriError("CreateContainerError", "seccomp profiles of the node (type Localhost) are not supported")
    out: dict[str, Any] = {
        "network_mode": f"container:{sandbox_id}",
        "log_config": {"type": "json-file", "config": LOG_OPTIONS},
        "read_only": security.read_only_root,
        "cap_add": security.add_capabilities,
        "cap_drop": security.drop_capabilities,
        "group_add": [str(group) for group in security.groups],
        "security_opt": options,
    }
    if shared := security.sees_processes_of or (sandbox_id if security.share_processes else ""):
        out["pid_mode"] = f"container:{shared}"
    return {name: value for name, value in out.items() if value}


def user(security: Security, image_user: str) -> str:
    """Docker's USER:GROUP; the image's where the pod says nothing."""
    name, _, group = image_user.partition(":")
    if security.user >= 0:
        name, group = str(security.user), ""
    if security.group >= 0:
        name, group = name or "0", str(security.group)
    return f"{name}:{group}" if group else name


def found(inspected: Inspected) -> Found:
    config = inspected["Config"]
    labels: dict[str, str] = config["Labels"]
    view = _sandbox(inspected, labels) if labels[ROLE] == SANDBOX_ROLE else _container(inspected, labels)
    return Found(
        inspected["Id"],
        labels[ROLE],
        labels[NODE],
        labels[POD_UID],
        bool(config.get("Tty")),
        config.get("StopSignal") or "SIGTERM",
        view,
    )


def _sandbox(inspected: Inspected, labels: dict[str, str]) -> Sandbox:
    return Sandbox(
        inspected["Id"],
        labels[_POD_NAMESPACE],
        labels[_POD_NAME],
        labels[POD_UID],
        labels[_IP],
        "READY" if inspected["State"]["Running"] else "NOTREADY",
        seconds(inspected["Created"]),
        int(labels[_ATTEMPT]),
    )


def _container(inspected: Inspected, labels: dict[str, str]) -> Container:
    state = inspected["State"]
    name = _state(state)
    exit_code, reason, message = _outcome(state, name)
    return Container(
        inspected["Id"],
        labels[_SANDBOX],
        labels[_NAME],
        labels[POD_UID],
        labels[_IMAGE],
        inspected["Image"],
        int(labels[_ATTEMPT]),
        name,
        seconds(inspected["Created"]),
        seconds(state["StartedAt"]),
        _finished(inspected) if name == "EXITED" else 0.0,
        exit_code,
        reason,
        message,
    )


def _finished(inspected: Inspected) -> float:
    """Docker may hear of a very short container's end before it notes its start; one that never started has neither."""
    state = inspected["State"]
    return max(seconds(state["FinishedAt"]), seconds(state["StartedAt"])) or seconds(inspected["Created"])


def _state(state: dict[str, Any]) -> Literal["CREATED", "RUNNING", "EXITED"]:
    """A container that could not be started is "created" to Docker, and over to Kubernetes."""
    if state["Running"]:
        return "RUNNING"
    if state["Status"] == "created" and not state.get("Error"):
        return "CREATED"
    return "EXITED"


def _outcome(state: dict[str, Any], name: str) -> tuple[int, str, str]:
    """Exit code, reason and message, as containerd gives them."""
    if name != "EXITED":
        return 0, "", ""
    if state.get("Error") and not seconds(state["StartedAt"]):
        return 128, "StartError", start_problem(state["Error"])
    code = int(state["ExitCode"])
    if state.get("OOMKilled"):
        return code, "OOMKilled", ""
    return code, "Error" if code else "Completed", ""


def start_problem(text: str) -> str:
    """What runc said, worded as containerd words it whatever the version."""
    text = re.sub(r"^.*?(?=exec: )", "", text, flags=re.DOTALL).strip()
    return (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        f"unable to start container process: {text}"
    )


def seconds(text: str) -> float:
    """Since the epoch; 0 for Docker's "not yet", the year 1. Nanoseconds are cut to what a float holds."""
    if not text or text.startswith("0001-"):
        return 0.0
    whole, _, rest = text.partition(".")
    fraction, zone = re.match(r"(\d*)(.*)", rest).groups() if rest else ("0", "")  # type: ignore[union-attr]
    if not rest:
        whole, zone = (text[:-1], "Z") if text.endswith("Z") else (text[:-6], text[-6:])
    at = datetime.datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone))
    return at.timestamp() + float(f"0.{fraction or '0'}")
