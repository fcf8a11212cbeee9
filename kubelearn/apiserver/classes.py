"""Admission that looks up classes: a pod's PriorityClass, a claim's StorageClass (the plugins Priority and
DefaultStorageClass). The kinds' own files know nothing but one object.
"""

from __future__ import annotations

from typing import Protocol

from kubelearn.api import errors
from kubelearn.api.errors import ApiError
from kubelearn.api.kinds import priorityclass, storageclass
from kubelearn.api.resource import Obj, Resource

_DEFAULT_POLICY = "PreemptLowerPriority"
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


class Reader(Protocol):
    async def read(self, resource: Resource, namespace: str, name: str) -> Obj: ...
    async def read_all(self, resource: Resource) -> list[Obj]: ...


async def priority(server: Reader, resource: Resource, pod: Obj) -> None:
    """The pod's priority is that of its class, or of the default class; no one else may say it. Raises ApiError 403."""
    spec, name = pod["spec"], pod["metadata"].get("name", "")
    wanted = spec.get("priorityClassName", "")
    found = await _class_of(server, resource, name, wanted)
    if found is not None and not wanted:
        spec["priorityClassName"] = found["metadata"]["name"]
    value = found.get("value", 0) if found else 0
    policy = found.get("preemptionPolicy", _DEFAULT_POLICY) if found else _DEFAULT_POLICY
    for field, words, computed in (
        ("priority", "integer value of priority", value),
        ("preemptionPolicy", "string value of PreemptionPolicy", policy),
    ):
        if spec.get(field) not in (None, computed):
            why = (
                f"the {words} ({spec[field]}) must not be provided in pod spec; priority admission controller computed "
                f"{computed} from the given PriorityClass name"
            )
            raise errors.forbidden(resource, name, why)
        spec[field] = computed


async def _class_of(server: Reader, resource: Resource, pod: str, name: str) -> Obj | None:
    if not name:
        return await _default_priority(server)
    try:
        return await server.read(priorityclass.RESOURCE, "", name)
    except ApiError as error:
        if error.code != 404:
            raise
        why = f"no PriorityClass with name {name} was found"
        raise errors.forbidden(resource, pod, why) from error


async def _default_priority(server: Reader) -> Obj | None:
    """Of several the least, as in Kubernetes."""
    found = [c for c in await server.read_all(priorityclass.RESOURCE) if c.get("globalDefault")]
    return min(found, key=lambda c: int(c.get("value", 0)), default=None)


async def one_default_priority(server: Reader, resource: Resource, obj: Obj) -> None:
    """A second PriorityClass cannot be the default. Raises ApiError 403."""
    if obj.get("globalDefault") and (other := await _default_priority(server)) is not None:
        why = f"PriorityClass {other['metadata']['name']} is already marked as default. Only one default can exist"
        raise errors.forbidden(resource, obj["metadata"].get("name", ""), why)


async def storage(server: Reader, claim: Obj) -> None:
    """A claim that names no class gets the default one, of several the newest."""
    spec, annotations = claim["spec"], claim["metadata"].get("annotations") or {}
    if spec.get("storageClassName") is not None or _BETA_CLASS in annotations:
        return
    found = [c for c in await server.read_all(storageclass.RESOURCE) if storageclass.is_default(c)]
    if found:
        newest = max(found, key=lambda c: (c["metadata"]["creationTimestamp"], c["metadata"]["name"]))
        spec["storageClassName"] = newest["metadata"]["name"]
