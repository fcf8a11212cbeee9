"""A Job's pods: how they stand, which of them are new to the count, and what the next one looks like. Pure.

Source: Kubernetes' pkg/controller/job (job_controller.go, indexed_job_utils.go, pod_failure_policy.go).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.controllers import _job_indexes, _pod_control, _pods

PREFIX = "batch.kubernetes.io/"
FINALIZER = f"{PREFIX}job-tracking"
INDEX = f"{PREFIX}job-completion-index"
FAILURES = f"{PREFIX}job-index-failure-count"


def indexed(job: Obj) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def index_of(pod: Obj) -> int:
    """-1 for a pod without one."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdigit() else -1


def tracked(pod: Obj) -> bool:
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def failed(job: Obj, pod: Obj) -> bool:
    """A pod that is deleted while it runs has failed, unless only ended pods are to be replaced."""
    if _pods.phase(pod) == "Failed":
        return True
    only_ended = job["spec"].get("podReplacementPolicy") == "Failed"
    return not only_ended and _pods.terminating(pod) and _pods.phase(pod) != "Succeeded"


@dataclass(frozen=True, slots=True)
class Match:
    """What a podFailurePolicy says of a failed pod: the action, and a message for FailJob."""

    action: str = "Count"
    message: str = ""


def policy_match(job: Obj, pod: Obj) -> Match:
    """The first rule that fits."""
    for number, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules") or ()):
        why = _codes(rule.get("onExitCodes"), pod) or _conditions(rule.get("onPodConditions"), pod)
        if why:
            key = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            return Match(rule["action"], f"{why[0]} for pod {key} {why[1]} {rule['action']} rule at index {number}")
    return Match()


def _codes(wanted: Obj | None, pod: Obj) -> tuple[str, str] | None:
    if not wanted:
        return None
    status = pod.get("status") or {}
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        ended = (container.get("state") or {}).get("terminated")
        if not ended or not ended.get("exitCode") or wanted.get("containerName") not in (None, container["name"]):
            continue
        if (ended["exitCode"] in wanted["values"]) is (wanted["operator"] == "In"):
            return f"Container {container['name']}", f"failed with exit code {ended['exitCode']} matching"
    return None


def _conditions(wanted: list[Obj] | None, pod: Obj) -> tuple[str, str] | None:
    for pattern in wanted or ():
        found = _pods.condition(pod, pattern["type"])
        if found is not None and found["status"] == pattern.get("status", "True"):
            return "Pod", f"has condition {pattern['type']} matching"
    return None


@dataclass(slots=True)
class Standing:
    """How a Job's pods stand. `succeeded` and `failed` ended and are not in the counts yet."""

    active: list[Obj] = field(default_factory=list)
    succeeded: list[Obj] = field(default_factory=list)
    failed: list[Obj] = field(default_factory=list)
    terminating: int = 0

    @classmethod
    def of(cls, job: Obj, pods: Iterable[Obj]) -> Standing:
        uncounted = (job.get("status") or {}).get("uncountedTerminatedPods") or {}
        known = {*(uncounted.get("succeeded") or ()), *(uncounted.get("failed") or ())}
        found = cls()
        for pod in pods:
            new = tracked(pod) and pod["metadata"]["uid"] not in known
            if _pods.phase(pod) == "Succeeded":
                found.succeeded += [pod] if new else []
            elif failed(job, pod):
                found.failed += [pod] if new else []
            elif _pods.active(pod):
                found.active.append(pod)
            if _pods.terminating(pod) and not _pods.finished(pod):
                found.terminating += 1
        return found

    @property
    def ready(self) -> int:
        return sum(map(_pods.ready, self.active))


def completed_indexes(job: Obj, standing: Standing) -> set[int]:
    before = _job_indexes.parse((job.get("status") or {}).get("completedIndexes"))
    return before | {i for pod in standing.succeeded if 0 <= (i := index_of(pod)) < job["spec"]["completions"]}


def failures_of(pods: Iterable[Obj], index: int) -> int:
    """How often an index has failed, by the count that each of its pods carries."""
    counts = [
        int((p["metadata"].get("annotations") or {}).get(FAILURES, "0")) + 1
        for p in pods
        if index_of(p) == index and _pods.phase(p) == "Failed"
    ]
    return max(counts, default=0)


def failed_indexes(job: Obj, pods: list[Obj], completed: set[int]) -> set[int] | None:
    """Those that have used up backoffLimitPerIndex, or met a FailIndex rule; None without such a limit."""
    limit = job["spec"].get("backoffLimitPerIndex")
    if limit is None:
        return None
    found = _job_indexes.parse((job.get("status") or {}).get("failedIndexes"))
    for pod in pods:
        index = index_of(pod)
        if index < 0 or index in completed or _pods.phase(pod) != "Failed":
            continue
        if failures_of(pods, index) > limit or policy_match(job, pod).action == "FailIndex":
            found.add(index)
    return found


def make(job: Obj, index: int | None, failures: int) -> Obj:
    """The next pod, for `index` if the Job is indexed."""
    pod = _pod_control.pod_from_template(job)
    about = pod["metadata"]
    about["finalizers"] = [*about.get("finalizers", ()), FINALIZER]
    if index is None:
        return pod
    name = f"{job['metadata']['name']}-{index}"
    about["generateName"] = f"{name}-"
    about.setdefault("annotations", {})[INDEX] = str(index)
    about.setdefault("labels", {})[INDEX] = str(index)
    if job["spec"].get("backoffLimitPerIndex") is not None:
        about["annotations"][FAILURES] = str(failures)
    pod["spec"].setdefault("hostname", name)
    variable: dict[str, Any] = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
    for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
        env = container.setdefault("env", [])
        if not any(e["name"] == "JOB_COMPLETION_INDEX" for e in env):
            env.append({"name": "JOB_COMPLETION_INDEX", "valueFrom": variable})
    return pod
