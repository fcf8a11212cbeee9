"""Whether a Job is over, and how. Pure.

Source: Kubernetes' pkg/controller/job (job_controller.go, success_policy.go, backoff_utils.go).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kubelearn.api.resource import Obj
from kubelearn.controllers import _job_indexes, _job_pods
from kubelearn.controllers._job_pods import Standing
from kubelearn.kit import clock

_BACKOFF_SECONDS, _BACKOFF_MOST = 10.0, 600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    good: bool
    reason: str
    message: str

    @property
    def interim(self) -> str:
        """The condition that comes first, while pods still end."""
        return "SuccessCriteriaMet" if self.good else "FailureTarget"

    @property
    def final(self) -> str:
        return "Complete" if self.good else "Failed"


_REACHED = Outcome(True, "CompletionsReached", "Reached expected number of succeeded pods")


@dataclass(frozen=True, slots=True)
class Counts:
    """All that have ended so far, counted or not. The index sets are None where they do not apply."""

    succeeded: int
    failed: int
    completed: set[int] | None = None
    failed_indexes: set[int] | None = None


def decide(job: Obj, standing: Standing, counts: Counts, now: datetime) -> Outcome | None:
    """None while the Job goes on."""
    spec = job["spec"]
    for pod in standing.failed:
        match = _job_pods.policy_match(job, pod)
        if match.action == "FailJob":
            return Outcome(False, "PodFailurePolicy", match.message)
    limit = spec.get("backoffLimit", 6)
    if counts.failed > limit or _restarts_exceed(spec, standing.active, limit):
        return Outcome(False, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    if (left := deadline_in(job, now)) is not None and left <= 0:
        return Outcome(False, "DeadlineExceeded", "Job was active longer than specified deadline")
    most = spec.get("maxFailedIndexes")
    if counts.failed_indexes is not None and most is not None and len(counts.failed_indexes) > most:
        return Outcome(
            False, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"
        )
    return _success_policy(spec, counts) or _completion(spec, standing, counts)


def _completion(spec: Obj, standing: Standing, counts: Counts) -> Outcome | None:
    wanted = spec.get("completions")
    if wanted is None:
        return _REACHED if counts.succeeded and not standing.active else None
    if counts.failed_indexes and counts.completed is not None:
        if len(counts.completed) + len(counts.failed_indexes) < wanted:
            return None
        return Outcome(False, "FailedIndexes", "Job has failed indexes")
    done = counts.succeeded if counts.completed is None else len(counts.completed)
    return _REACHED if done >= wanted and not standing.active else None


def _success_policy(spec: Obj, counts: Counts) -> Outcome | None:
    for number, rule in enumerate((spec.get("successPolicy") or {}).get("rules") or ()):
        done = counts.completed or set()
        named = _job_indexes.parse(rule.get("succeededIndexes"))
        counted = done & named if named else done
        if len(counted) >= rule.get("succeededCount", len(named)):
            return Outcome(True, "SuccessPolicy", f"Matched rules at index {number}")
    return None


def _restarts_exceed(spec: Obj, active: Iterable[Obj], limit: int) -> bool:
    """With restartPolicy OnFailure it is the kubelet that tries again, and its restarts that count."""
    if spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    statuses = (p.get("status", {}).get("containerStatuses") or () for p in active)
    restarts = sum(c.get("restartCount", 0) for found in statuses for c in found)
    return bool(restarts > 0 if limit == 0 else restarts >= limit)


def deadline_in(job: Obj, now: datetime) -> float | None:
    """Seconds until activeDeadlineSeconds; None without one, or before the start."""
    limit, started = job["spec"].get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
    if limit is None or not started or job["spec"].get("suspend"):
        return None
    return float(limit) - (now - clock.parse(started)).total_seconds()


def backoff(failures_in_a_row: int, last_failure: datetime | None, now: datetime) -> float:
    """Seconds to wait before the next pod: 10, 20, 40 … at most 600, counted from the last failure."""
    if not failures_in_a_row or last_failure is None:
        return 0.0
    delay = min(_BACKOFF_SECONDS * 2.0 ** (failures_in_a_row - 1), _BACKOFF_MOST)
    return max(0.0, delay - (now - last_failure).total_seconds())
