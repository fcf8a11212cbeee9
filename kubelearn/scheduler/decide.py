"""One scheduling decision: every filter on every node, every score on the nodes that are left. Pure.

The decision keeps each plugin's verdict, because the learner may ask for it (`why`); the failure texts are
kube-scheduler's (its FitError, with what its PostFilter plugins DynamicResources and DefaultPreemption add).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kubelearn.kit.discover import discover
from kubelearn.scheduler import preemption
from kubelearn.scheduler.filtering import Filters, Verdict
from kubelearn.scheduler.framework import Cluster, Nodes, Plugin, PodInfo, Rejection
from kubelearn.scheduler.preemption import Preemption

NO_NODES = "no nodes available to schedule pods"
NO_CLAIMS = "no new claims to deallocate"
# A pod turned away before any node was looked at finds DynamicResources without its state, and that ends it there.
NO_STATE = "not found"
NOTHING_ELSE = Cluster()
NOTED_NODES = 12


@dataclass(frozen=True, slots=True)
class Decision:
    """`node` is "" when no node will do; then `message` says why and `rejected_by` which plugins stood against it.
    `preemption`: who should go, so that the pod can be tried again. `nominate`: the node that it then counts on, ""
    for none any more, None to leave that as it is."""

    node: str
    verdicts: dict[str, Verdict]
    message: str = ""
    rejected_by: frozenset[str] = frozenset()
    preemption: Preemption | None = None
    nominate: str | None = None

    def note(self) -> dict[str, Any]:
        """For the cause of the write that follows: each node's verdicts, the best nodes first, not endlessly many."""
        ranked = sorted(self.verdicts, key=lambda n: (n != self.node, self.verdicts[n].rejection is not None, n))
        note: dict[str, Any] = {
            "nodes": {name: _noted(self.verdicts[name]) for name in ranked[:NOTED_NODES]},
            "chosen": self.node,
        }
        if len(ranked) > NOTED_NODES:
            note["nodesLeftOut"] = len(ranked) - NOTED_NODES
        if self.preemption is not None:
            victims = [f"{pod.namespace}/{pod.name}" for pod in self.preemption.victims]
            note["preemption"] = {"node": self.preemption.node, "victims": victims}
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


def decide(
    pod: PodInfo,
    nodes: Nodes,
    plugins: Sequence[Plugin],
    rng: random.Random | None = None,
    cluster: Cluster = NOTHING_ELSE,
    nominated: str = "",
) -> Decision:
    """Of equally good nodes one is drawn, as kube-scheduler does. The node that room was made on (`nominated`) is
    looked at first, and the others only if it will not do."""
    if not nodes:
        return Decision("", {}, NO_NODES, frozenset(plugin.name for plugin in plugins))
    filters = Filters(pod, nodes, plugins, cluster)
    first = next((node for node in nodes if node.name == nominated), None)
    if first is not None and (verdict := filters.verdict(first)).rejection is None:
        return Decision(nominated, {nominated: verdict})
    verdicts = {node.name: filters.verdict(node) for node in nodes}
    feasible = [node for node in nodes if verdicts[node.name].rejection is None]
    if not feasible:
        return _failed(pod, nodes, filters, verdicts, cluster, nominated)
    if len(feasible) > 1:
        _score(pod, nodes, feasible, plugins, verdicts)
    best = max(verdicts[node.name].total for node in feasible)
    tied = [node.name for node in feasible if verdicts[node.name].total == best]
    return Decision((rng or random).choice(tied), verdicts)


def _failed(
    pod: PodInfo, nodes: Nodes, filters: Filters, verdicts: dict[str, Verdict], cluster: Cluster, nominated: str
) -> Decision:
    """No node will do: would one, if other pods went?"""
    by = frozenset(name for v in verdicts.values() for name, r in v.filters.items() if r is not None)
    if filters.refusal is not None:
        return Decision("", verdicts, f"{_available(nodes)} {filters.refusal[1].reasons[0]}. {NO_STATE}", by)
    rejected = {name: verdict.rejection for name, verdict in verdicts.items() if verdict.rejection is not None}
    said = f"{_available(nodes)} {_counted(rejected.values())}."
    if why := preemption.not_eligible(pod, nominated, rejected, nodes):
        return Decision("", verdicts, f"{said} {NO_CLAIMS}, preemption: {why}", by)
    found, reasons = preemption.search(pod, nodes, rejected, filters, cluster.budgets)
    if found is None:
        said += f" {NO_CLAIMS}, preemption: {_available(nodes)} {_counted(reasons)}."
    return Decision("", verdicts, said, by, found, nominate=found.node if found else "")


def _available(nodes: Nodes) -> str:
    return f"0/{len(nodes)} nodes are available:"


def _counted(rejections: Iterable[Rejection]) -> str:
    reasons = Counter(reason for rejection in rejections for reason in rejection.reasons)
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))


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
