"""PodSecurity: the level that a namespace's labels ask for. `enforce` refuses pods, `warn` warns of what would be."""

from __future__ import annotations

from kubelearn.api import errors, pod_security
from kubelearn.api.pod_security import Violation
from kubelearn.api.resource import Obj
from kubelearn.apiserver.admission._base import NAMESPACES, PODS, Admission, Attempt

_LABEL = "pod-security.kubernetes.io/"
#: Where the pod of a workload is, by group resource.
_TEMPLATES = {
    "replicationcontrollers": ("spec", "template", "spec"),
    "podtemplates": ("template", "spec"),
    "replicasets.apps": ("spec", "template", "spec"),
    "deployments.apps": ("spec", "template", "spec"),
    "statefulsets.apps": ("spec", "template", "spec"),
    "daemonsets.apps": ("spec", "template", "spec"),
    "jobs.batch": ("spec", "template", "spec"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template", "spec"),
}


async def _validate(attempt: Attempt) -> None:
    """Raises ApiError 403."""
    if attempt.resource.group_resource == NAMESPACES.group_resource:
        await _namespace(attempt)
        return
    is_pod = attempt.resource.group_resource == "pods"
    if is_pod and attempt.old is not None and _debugged(attempt.obj) == _debugged(attempt.old):
        return  # nothing else about a pod's security can change
    path = ("spec",) if is_pod else _TEMPLATES.get(attempt.resource.group_resource)
    if path is None:
        return
    found = attempt.obj
    for name in path:
        found = found.get(name) or {}
    labels = (await attempt.server.read(NAMESPACES, "", attempt.namespace))["metadata"].get("labels") or {}
    if is_pod:
        level, version = _asked(labels, "enforce")
        if wrong := pod_security.violations(found, level):
            why = f'violates PodSecurity "{level}:{version}": {pod_security.told(wrong)}'
            raise errors.forbidden(attempt.resource, attempt.name, why)
    level, version = _asked(labels, "warn")
    if wrong := pod_security.violations(found, level):
        attempt.call.warn([f'would violate PodSecurity "{level}:{version}": {pod_security.told(wrong)}'])


def _debugged(pod: Obj) -> object:
    return pod["spec"].get("ephemeralContainers") or ()


def _asked(labels: Obj, mode: str) -> tuple[str, str]:
    level = labels.get(f"{_LABEL}{mode}", "privileged")
    version = labels.get(f"{_LABEL}{mode}-version", "latest")
    return (level if level in pod_security.LEVELS else "restricted"), version


async def _namespace(attempt: Attempt) -> None:
    """A namespace that begins to enforce more is told which of its pods would not get in any more."""
    if attempt.old is None:
        return
    before, (level, version) = (
        _asked(obj["metadata"].get("labels") or {}, "enforce") for obj in (attempt.old, attempt.obj)
    )
    if before == (level, version) or level == "privileged":
        return
    groups: dict[str, list[str]] = {}
    for pod in await attempt.server.read_all(PODS, attempt.name):
        if wrong := pod_security.violations(pod["spec"], level):
            groups.setdefault(_reasons(wrong), []).append(pod["metadata"]["name"])
    if groups:
        first = f'existing pods in namespace "{attempt.name}" violate the new PodSecurity enforce level'
        attempt.call.warn([f'{first} "{level}:{version}"', *_listed(groups)])


def _reasons(wrong: list[Violation]) -> str:
    return ", ".join(violation.reason for violation in wrong)


def _listed(groups: dict[str, list[str]]) -> list[str]:
    out = []
    for reasons, pods in groups.items():
        more = len(pods) - 1
        others = f" (and {more} other pod{'' if more == 1 else 's'})" if more else ""
        out.append(f"{pods[0]}{others}: {reasons}")
    return sorted(out)


ADMISSION = Admission(50, validate=_validate)
