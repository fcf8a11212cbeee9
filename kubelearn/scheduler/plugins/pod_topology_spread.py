"""Like pods are spread over nodes and zones: by the pod's own constraints, else by the scheduler's defaults.

The defaults spread the pods of one controller, softly. kube-scheduler finds those by the selectors of Services and
ReplicaSets; here they are the pods with the same controller, which saves a watch on both and comes to the same for
pods that have one. Source: kube-scheduler's podtopologyspread plugin, whose skew and score formulas these are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.api.selectors import from_label_selector
from kubelearn.scheduler.framework import MAX_SCORE, Cluster, NodeInfo, Nodes, Plugin, PodInfo, Rejection
from kubelearn.scheduler.plugins._nodes import matches_required, untolerated

HOSTNAME = "kubernetes.io/hostname"
DEFAULTS = ((HOSTNAME, 3), ("topology.kubernetes.io/zone", 5))
_MISMATCH = "node(s) didn't match pod topology spread constraints"


@dataclass(frozen=True, slots=True)
class Constraint:
    key: str
    max_skew: int
    min_domains: int
    counts: Callable[[PodInfo], bool]
    includes: Callable[[NodeInfo], bool]


def _constraints(pod: PodInfo, when: str) -> list[Constraint]:
    found = pod.spec.get("topologySpreadConstraints") or []
    return [_constraint(pod, c) for c in found if c.get("whenUnsatisfiable", "DoNotSchedule") == when]


def _constraint(pod: PodInfo, given: Obj) -> Constraint:
    selector = from_label_selector(given.get("labelSelector"))
    same = {key: pod.labels[key] for key in given.get("matchLabelKeys") or [] if key in pod.labels}

    def counts(other: PodInfo) -> bool:
        return (
            other.namespace == pod.namespace
            and not other.terminating
            and selector.matches(other.labels)
            and all(other.labels.get(key) == value for key, value in same.items())
        )

    def includes(node: NodeInfo) -> bool:
        if given.get("nodeAffinityPolicy", "Honor") == "Honor" and not matches_required(pod, node):
            return False
        tainted = given.get("nodeTaintsPolicy", "Ignore") == "Honor"
        return not (tainted and untolerated(pod, node, ("NoSchedule", "NoExecute")))

    return Constraint(given["topologyKey"], given.get("maxSkew", 1), given.get("minDomains") or 1, counts, includes)


def _default_constraints(pod: PodInfo) -> list[Constraint]:
    if not pod.owner_uid:
        return []

    def counts(other: PodInfo) -> bool:
        same = other.owner_uid == pod.owner_uid and other.namespace == pod.namespace
        return same and not other.terminating

    return [Constraint(key, skew, 1, counts, lambda node: matches_required(pod, node)) for key, skew in DEFAULTS]


def _count(constraint: Constraint, node: NodeInfo) -> int:
    return sum(constraint.counts(pod) for pod in node.pods.values())


def _has_keys(node: NodeInfo, constraints: list[Constraint]) -> bool:
    return all(constraint.key in node.labels for constraint in constraints)


# filter: DoNotSchedule


def _prepare(pod: PodInfo, nodes: Nodes, _cluster: Cluster) -> list[tuple[Constraint, Counter[str], int]]:
    """Each constraint with the count per domain and the smallest count."""
    hard = _constraints(pod, "DoNotSchedule")
    prepared = []
    for constraint in hard:
        domains: Counter[str] = Counter()
        for node in nodes:
            if _has_keys(node, hard) and constraint.includes(node):
                domains[node.labels[constraint.key]] += _count(constraint, node)
        least = min(domains.values(), default=0) if len(domains) >= constraint.min_domains else 0
        prepared.append((constraint, domains, least))
    return prepared


def _filter(pod: PodInfo, node: NodeInfo, prepared: list[tuple[Constraint, Counter[str], int]]) -> Rejection | None:
    for constraint, domains, least in prepared:
        if constraint.key not in node.labels:
            return Rejection((f"{_MISMATCH} (missing required label)",), final=True)
        here = domains.get(node.labels[constraint.key], 0) + constraint.counts(pod)
        if here - least > constraint.max_skew:
            return Rejection((_MISMATCH,))
    return None


# score: ScheduleAnyway, or the defaults


@dataclass(slots=True)
class _Soft:
    """Per constraint the counts per domain (for hostnames counted on the node) and the weight of its domains."""

    constraints: list[Constraint]
    domains: list[Counter[str]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)


def _prepare_score(pod: PodInfo, nodes: Nodes, feasible: Nodes) -> _Soft | None:
    own = bool(pod.spec.get("topologySpreadConstraints"))
    soft = _Soft(_constraints(pod, "ScheduleAnyway") if own else _default_constraints(pod))
    if not soft.constraints:
        return None
    if own:
        soft.ignored = {node.name for node in feasible if not _has_keys(node, soft.constraints)}
    taking_part = [node for node in feasible if node.name not in soft.ignored]
    for constraint in soft.constraints:
        names = {node.labels[constraint.key] for node in taking_part if constraint.key in node.labels}
        counted: Counter[str] = Counter(dict.fromkeys(names, 0))
        if constraint.key != HOSTNAME:
            for node in nodes:
                domain = node.labels.get(constraint.key)
                if domain in names and constraint.includes(node):
                    counted[domain] += _count(constraint, node)
        soft.domains.append(counted)
        size = len(taking_part) if constraint.key == HOSTNAME else len(names)
        soft.weights.append(math.log(size + 2))
    return soft


def _score(_pod: PodInfo, node: NodeInfo, soft: _Soft) -> int:
    if node.name in soft.ignored:
        return 0
    total = 0.0
    for constraint, domains, weight in zip(soft.constraints, soft.domains, soft.weights, strict=True):
        domain = node.labels.get(constraint.key)
        if domain is not None:
            count = _count(constraint, node) if constraint.key == HOSTNAME else domains[domain]
            total += count * weight + (constraint.max_skew - 1)
    return math.floor(total + 0.5)


def _normalize(soft: Any, scores: dict[str, int]) -> dict[str, int]:
    taking_part = [score for name, score in scores.items() if name not in soft.ignored]
    most, least = max(taking_part, default=0), min(taking_part, default=0)

    def one(name: str, score: int) -> int:
        if name in soft.ignored:
            return 0
        return MAX_SCORE * (most + least - score) // most if most else MAX_SCORE

    return {name: one(name, score) for name, score in scores.items()}


PLUGIN = Plugin(
    "PodTopologySpread",
    order=70,
    prepare=_prepare,
    filter=_filter,
    prepare_score=_prepare_score,
    score=_score,
    normalize=_normalize,
    weight=2,
    helped_by=frozenset({"node", "pod-gone", "pod-new"}),
)
