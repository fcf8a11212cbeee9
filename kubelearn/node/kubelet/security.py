"""A container's securityContext over its pod's, and what is never granted. Pure."""

from __future__ import annotations

from typing import Any

from kubelearn.api.cri import Image, Security
from kubelearn.api.resource import Obj
from kubelearn.node.kubelet import podspec

_HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")


class Refused(Exception):
    """CreateContainerConfigError: the container is not made."""


def refused_pod(pod: Obj) -> str:
    """Why no sandbox is made for this pod; empty if one is."""
    for name in _HOST_NAMESPACES:
        if pod["spec"].get(name):
            return f"{name} is not allowed: pods of this cluster do not share namespaces with their node"
    return ""


def security(pod: Obj, spec: Obj, image: Image) -> Security:
    """Raises Refused with the kubelet's words."""
    mine, pods = spec.get("securityContext") or {}, pod["spec"].get("securityContext") or {}

    def effective(name: str) -> Any:
        return mine.get(name, pods.get(name))

    if mine.get("privileged"):
        raise Refused("privileged containers are not allowed on this cluster")
    if effective("runAsNonRoot"):
        _verify_non_root(pod, spec, effective("runAsUser"), image.user.partition(":")[0])
    capabilities = mine.get("capabilities") or {}
    groups = list(pods.get("supplementalGroups") or ())
    if pods.get("fsGroup") is not None:
        groups.append(pods["fsGroup"])
    return Security(
        _number(effective("runAsUser")),
        _number(effective("runAsGroup")),
        groups,
        bool(mine.get("readOnlyRootFilesystem")),
        list(capabilities.get("add") or ()),
        list(capabilities.get("drop") or ()),
        mine.get("allowPrivilegeEscalation") is False,
        bool(pod["spec"].get("shareProcessNamespace")),
        (effective("seccompProfile") or {}).get("type", ""),
    )


def _number(value: Any) -> int:
    return -1 if value is None else int(value)


def _verify_non_root(pod: Obj, spec: Obj, user: int | None, image_user: str) -> None:
    where = f'(pod: "{podspec.key(pod)}", container: {spec["name"]})'
    if user is not None:
        if user == 0:
            raise Refused(f"container's runAsUser breaks non-root policy {where}")
    elif image_user and not image_user.isdigit():
        text = f"image has non-numeric user ({image_user}), cannot verify user is non-root"
        raise Refused(f"container has runAsNonRoot and {text} {where}")
    elif int(image_user or 0) == 0:
        raise Refused(f"container has runAsNonRoot and image will run as root {where}")
