"""Pods that want to be near other pods, or away from them: affinity and anti-affinity, required and preferred.

Anti-affinity is mutual: a pod already placed keeps newcomers away too. namespaceSelector is only understood when it
is empty (all namespaces): the labels of namespaces are not watched. Source: kube-scheduler's interpodaffinity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.api.selectors import LabelSelector, from_label_selector
from kubelearn.scheduler.framework import MAX_SCORE, Cluster, NodeInfo, Nodes, Plugin, PodInfo, Rejection

HARD_WEIGHT = 1  # what an existing pod's required affinity adds to the score of its domain
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
Domain = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Term:
    key: str
    selector: LabelSelector
    same: tuple[tuple[str, str], ...]
    other: tuple[tuple[str, str], ...]
    namespaces: frozenset[str]
    everywhere: bool
    weight: int = 0

    def matches(self, pod: PodInfo) -> bool:
        if not self.everywhere and pod.namespace not in self.namespaces:
            return False
        if any(pod.labels.get(k) != v for k, v in self.same) or any(pod.labels.get(k) == v for k, v in self.other):
            return False
        return self.selector.matches(pod.labels)

    def domain(self, node: NodeInfo) -> Domain | None:
        value = node.labels.get(self.key)
        return None if value is None else (self.key, value)


def _term(pod: PodInfo, given: Obj, weight: int = 0) -> Term:
    selected = given.get("namespaceSelector")
    names = frozenset(given.get("namespaces") or ([] if selected is not None else [pod.namespace]))

    def pairs(name: str) -> tuple[tuple[str, str], ...]:
        return tuple((key, pod.labels[key]) for key in given.get(name) or [] if key in pod.labels)

    return Term(
        given["topologyKey"],
        from_label_selector(given.get("labelSelector")),
        pairs("matchLabelKeys"),
        pairs("mismatchLabelKeys"),
        names,
        selected is not None and not selected,
        weight,
    )


def _required(pod: PodInfo, kind: str) -> list[Term]:
    given = ((pod.spec.get("affinity") or {}).get(kind) or {}).get(_REQUIRED) or []
    return [_term(pod, term) for term in given]


def _preferred(pod: PodInfo, kind: str) -> list[Term]:
    given = ((pod.spec.get("affinity") or {}).get(kind) or {}).get(_PREFERRED) or []
    return [_term(pod, wish["podAffinityTerm"], wish.get("weight", 0)) for wish in given]


def _placed(nodes: Nodes) -> Iterator[tuple[NodeInfo, PodInfo]]:
    return ((node, pod) for node in nodes for pod in node.pods.values())


def _choosy(nodes: Nodes) -> Iterator[tuple[NodeInfo, PodInfo]]:
    return ((node, pod) for node in nodes if node.choosy for pod in node.choosy.values())


@dataclass(slots=True)
class _State:
    affinity: list[Term]
    anti: list[Term]
    near: Counter[tuple[int, Domain]] = field(default_factory=Counter)
    apart: set[Domain] = field(default_factory=set)
    kept_away: set[Domain] = field(default_factory=set)
    alone: bool = False


def _prepare(pod: PodInfo, nodes: Nodes, _cluster: Cluster) -> _State:
    state = _State(_required(pod, "podAffinity"), _required(pod, "podAntiAffinity"))
    for node, other in _choosy(nodes):
        terms = [t for t in _required(other, "podAntiAffinity") if t.matches(pod)]
        state.kept_away.update(_domains(terms, node))
    for node, other in _placed(nodes) if state.affinity or state.anti else ():
        if state.affinity and all(term.matches(other) for term in state.affinity):
            for number, term in enumerate(state.affinity):
                if (domain := term.domain(node)) is not None:
                    state.near[number, domain] += 1
        state.apart.update(_domains([t for t in state.anti if t.matches(other)], node))
    # The first pod of a group that wants to be near itself may go anywhere.
    state.alone = not state.near and all(term.matches(pod) for term in state.affinity)
    return state


def _domains(terms: Iterable[Term], node: NodeInfo) -> Iterator[Domain]:
    return (domain for term in terms if (domain := term.domain(node)) is not None)


def _filter(_pod: PodInfo, node: NodeInfo, state: _State) -> Rejection | None:
    for number, term in enumerate(state.affinity):
        domain = term.domain(node)
        if domain is None or (not state.alone and not state.near[number, domain]):
            return Rejection(("node(s) didn't match pod affinity rules",), final=True)
    if any(domain in state.apart for domain in _domains(state.anti, node)):
        return Rejection(("node(s) didn't match pod anti-affinity rules",))
    if any((key, node.labels.get(key)) in state.kept_away for key, _ in state.kept_away):
        return Rejection(("node(s) didn't satisfy existing pods anti-affinity rules",))
    return None


def _prepare_score(pod: PodInfo, nodes: Nodes, _feasible: Nodes) -> Counter[Domain] | None:
    """The points of each domain: the pod's own wishes, and those of the pods already placed."""
    own = _weighted(pod)
    points: Counter[Domain] = Counter()
    for node, other in _placed(nodes) if own else ():
        _add(points, [t for t in own if t.matches(other)], node)
    for node, other in _choosy(nodes):
        for domain in _domains([t for t in _required(other, "podAffinity") if t.matches(pod)], node):
            points[domain] += HARD_WEIGHT
        _add(points, [t for t in _weighted(other) if t.matches(pod)], node)
    return points or None


def _add(points: Counter[Domain], terms: list[Term], node: NodeInfo) -> None:
    for term in terms:
        for domain in _domains([term], node):
            points[domain] += term.weight


def _weighted(pod: PodInfo) -> list[Term]:
    anti = ((pod.spec.get("affinity") or {}).get("podAntiAffinity") or {}).get(_PREFERRED) or []
    away = [_term(pod, wish["podAffinityTerm"], -wish.get("weight", 0)) for wish in anti]
    return _preferred(pod, "podAffinity") + away


def _score(_pod: PodInfo, node: NodeInfo, points: Counter[Domain]) -> int:
    return sum(value for (key, domain), value in points.items() if node.labels.get(key) == domain)


def _normalize(_state: Any, scores: dict[str, int]) -> dict[str, int]:
    most, least = max(scores.values(), default=0), min(scores.values(), default=0)
    span = most - least
    return {name: MAX_SCORE * (score - least) // span if span else 0 for name, score in scores.items()}


PLUGIN = Plugin(
    "InterPodAffinity",
    order=80,
    prepare=_prepare,
    filter=_filter,
    prepare_score=_prepare_score,
    score=_score,
    normalize=_normalize,
    weight=2,
    helped_by=frozenset({"node", "pod-gone", "pod-new"}),
)
