"""One scheduling decision: every filter on every node, every score on the nodes that are left. Pure.

The decision keeps each plugin's verdict, because the learner may ask for it (`why`); the failure texts are
kube-scheduler's. Preemption is not done: no pod is ever removed for another, and the text says none was found.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kubelearn.kit.discover import discover
from kubelearn.scheduler.framework import NodeInfo, Nodes, Plugin, PodInfo, Rejection

NO_NODES = "no nodes available to schedule pods"
NOTED_NODES = 12


@dataclass(slots=True)
class Verdict:
    """What the plugins said of one node: `filters` by plugin, None is ok; `scores` already times their weight."""

    filters: dict[str, Rejection | None] = field(default_factory=dict)
    scores: dict[str, int] = field(default_factory=dict)

    @property
    def rejection(self) -> Rejection | None:
        return next((r for r in self.filters.values() if r is not None), None)

    @property
    def total(self) -> int:
        return sum(self.scores.values())


@dataclass(frozen=True, slots=True)
class Decision:
    """`node` is "" when no node will do; then `message` says why and `rejected_by` which plugins stood against it."""

    node: str
    verdicts: dict[str, Verdict]
    message: str = ""
    rejected_by: frozenset[str] = frozenset()

    def note(self) -> dict[str, Any]:
        """For the cause of the write that follows: each node's verdicts, the best nodes first, not endlessly many."""
        ranked = sorted(self.verdicts, key=lambda n: (n != self.node, self.verdicts[n].rejection is not None, n))
        note: dict[str, Any] = {
            "nodes": {name: _noted(self.verdicts[name]) for name in ranked[:NOTED_NODES]},
            "chosen": self.node,
        }
        if len(ranked) > NOTED_NODES:
            note["nodesLeftOut"] = len(ranked) - NOTED_NODES
        return {"scheduler": note}


def _noted(verdict: Verdict) -> dict[str, Any]:
    filters = {name: ", ".join(r.reasons) if r else "ok" for name, r in verdict.filters.items()}
    if verdict.rejection is not None:
        return {"filter": filters}
    return {"filter": filters, "score": verdict.scores, "total": verdict.total}


@lru_cache(maxsize=1)
def default_plugins() -> tuple[Plugin, ...]:
    found = discover("kubelearn.scheduler.plugins", "PLUGIN", Plugin)
    return tuple(sorted(found.values(), key=lambda plugin: plugin.order))


def decide(pod: PodInfo, nodes: Nodes, plugins: Sequence[Plugin], rng: random.Random | None = None) -> Decision:
    """Of equally good nodes one is drawn, as kube-scheduler does."""
    if not nodes:
        return Decision("", {}, NO_NODES, frozenset(plugin.name for plugin in plugins))
    verdicts = _filter(pod, nodes, plugins)
    feasible = [node for node in nodes if verdicts[node.name].rejection is None]
    if not feasible:
        by = frozenset(name for v in verdicts.values() for name, r in v.filters.items() if r is not None)
        return Decision("", verdicts, explain([v.rejection for v in verdicts.values() if v.rejection]), by)
    if len(feasible) > 1:
        _score(pod, nodes, feasible, plugins, verdicts)
    best = max(verdicts[node.name].total for node in feasible)
    tied = [node.name for node in feasible if verdicts[node.name].total == best]
    return Decision((rng or random).choice(tied), verdicts)


def _filter(pod: PodInfo, nodes: Nodes, plugins: Sequence[Plugin]) -> dict[str, Verdict]:
    states = {plugin.name: plugin.prepare(pod, nodes) for plugin in plugins}
    return {node.name: _filter_one(pod, node, plugins, states) for node in nodes}


def _filter_one(pod: PodInfo, node: NodeInfo, plugins: Sequence[Plugin], states: dict[str, Any]) -> Verdict:
    verdict = Verdict()
    for plugin in plugins:
        if plugin.filter is None:
            continue
        rejection = verdict.filters[plugin.name] = plugin.filter(pod, node, states[plugin.name])
        if rejection is not None:
            break
    return verdict


def _score(
    pod: PodInfo, nodes: Nodes, feasible: Nodes, plugins: Sequence[Plugin], verdicts: dict[str, Verdict]
) -> None:
    for plugin in plugins:
        if plugin.score is None:
            continue
        state = None
        if plugin.prepare_score is not None:
            state = plugin.prepare_score(pod, nodes, feasible)
            if state is None:
                continue
        raw = {node.name: plugin.score(pod, node, state) for node in feasible}
        for name, score in plugin.normalize(state, raw).items():
            verdicts[name].scores[plugin.name] = score * plugin.weight


def explain(rejections: Iterable[Rejection]) -> str:
    """kube-scheduler's FitError, with what its PostFilter plugins add."""
    rejected = list(rejections)
    available = f"0/{len(rejected)} nodes are available:"
    reasons = Counter(reason for rejection in rejected for reason in rejection.reasons)
    final = sum(rejection.final for rejection in rejected)
    preemption = Counter(
        {
            "No preemption victims found for incoming pod": len(rejected) - final,
            "Preemption is not helpful for scheduling": final,
        }
    )
    victims = ", ".join(sorted(f"{n} {text}" for text, n in preemption.items() if n))
    counted = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    return f"{available} {counted}. no new claims to deallocate, preemption: {available} {victims}."
