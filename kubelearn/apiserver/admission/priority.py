"""Priority: a pod's priority is that of its PriorityClass, or of the default one, of which there is one at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelearn.api import errors
from kubelearn.api.errors import ApiError
from kubelearn.api.kinds import priorityclass
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver.admission._base import Admission, Attempt

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

_DEFAULT_POLICY = "PreemptLowerPriority"


async def _admit(attempt: Attempt) -> None:
    if attempt.creates("pods"):
        await _of_pod(attempt.server, attempt.resource, attempt.obj)
    elif attempt.creates("priorityclasses", priorityclass.RESOURCE.group):
        await _one_default(attempt.server, attempt.resource, attempt.obj)


async def _of_pod(server: ApiServer, resource: Resource, pod: Obj) -> None:
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


async def _class_of(server: ApiServer, resource: Resource, pod: str, name: str) -> Obj | None:
    if not name:
        return await _default_priority(server)
    try:
        return await server.read(priorityclass.RESOURCE, "", name)
    except ApiError as error:
        if error.code != 404:
            raise
        why = f"no PriorityClass with name {name} was found"
        raise errors.forbidden(resource, pod, why) from error


async def _default_priority(server: ApiServer) -> Obj | None:
    """Of several the least, as in Kubernetes."""
    found = [c for c in await server.read_all(priorityclass.RESOURCE) if c.get("globalDefault")]
    return min(found, key=lambda c: int(c.get("value", 0)), default=None)


async def _one_default(server: ApiServer, resource: Resource, obj: Obj) -> None:
    """A second PriorityClass cannot be the default. Raises ApiError 403."""
    if obj.get("globalDefault") and (other := await _default_priority(server)) is not None:
        why = f"PriorityClass {other['metadata']['name']} is already marked as default. Only one default can exist"
        raise errors.forbidden(resource, obj["metadata"].get("name", ""), why)


ADMISSION = Admission(60, _admit)
