"""Volumes that are places on the node's disk: hostPath, and claims bound to a hostPath or local PersistentVolume."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kubelearn.api.resource import Obj, Resource
from kubelearn.node.resources import CLAIMS, PERSISTENT_VOLUMES

#: (resource, name, namespace) → the object, None if there is none.
Find = Callable[[Resource, str, str], Awaitable[Obj | None]]
KINDS = ("hostPath", "persistentVolumeClaim", "ephemeral")


class MountError(Exception):
    """The volume cannot be set up (yet)."""


@dataclass(frozen=True, slots=True)
class Place:
    """`type` is that of a hostPath volume."""

    path: str
    type: str
    read_only: bool = False


async def places(pod: Obj, find: Find) -> dict[str, Place]:
    """By the volume's name. Raises MountError with the kubelet's words."""
    out = {}
    for volume in pod["spec"].get("volumes") or ():
        name = volume["name"]
        if source := volume.get("hostPath"):
            out[name] = _on_disk(source, source.get("type") or "", False)
        elif "ephemeral" in volume:
            out[name] = await _claimed(pod, name, f"{pod['metadata']['name']}-{name}", False, find)
        elif source := volume.get("persistentVolumeClaim"):
            out[name] = await _claimed(pod, name, source["claimName"], bool(source.get("readOnly")), find)
    return out


async def _claimed(pod: Obj, volume: str, claim_name: str, read_only: bool, find: Find) -> Place:
    namespace = pod["metadata"]["namespace"]
    head = f"unmounted volumes=[{volume}], unattached volumes=[], failed to process volumes=[{volume}]"
    problem = f"Unable to attach or mount volumes: {head}: error processing PVC {namespace}/{claim_name}: "
    claim = await find(CLAIMS, claim_name, namespace)
    if claim is None:
        text = f'failed to fetch PVC from API server: persistentvolumeclaims "{claim_name}" not found'
        raise MountError(problem + text)
    if claim["metadata"].get("deletionTimestamp"):
        raise MountError(problem + "PVC is being deleted")
    bound_to = claim["spec"].get("volumeName")
    if not bound_to or claim.get("status", {}).get("phase") != "Bound":
        raise MountError(problem + "PVC is not bound")
    bound = await find(PERSISTENT_VOLUMES, bound_to, "")
    if bound is None:
        raise MountError(
            problem + f'failed to fetch PV {bound_to} from API server: persistentvolumes "{bound_to}" not found'
        )
    return _place(bound, read_only)


def _place(bound: Obj, read_only: bool) -> Place:
    spec = bound["spec"]
    if source := spec.get("hostPath"):
        return _on_disk(source, source.get("type") or "", read_only)
    if source := spec.get("local"):
        return _on_disk(source, "Directory", read_only)
    name = bound["metadata"]["name"]
    raise MountError(f"PersistentVolume {name} is of a type that this kubelet does not support: hostPath and local are")


def _on_disk(source: Obj, type_: str, read_only: bool) -> Place:
    if ".." in source["path"].split("/"):
        raise MountError(f"path {source['path']} must not contain '..'")
    return Place(source["path"], type_, read_only)
