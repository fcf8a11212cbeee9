"""Which pods must go so that one of higher priority has room: kube-scheduler's DefaultPreemption. Pure.

On each node that could be helped, all pods of lower priority are thought away; if the pod then fits, as many of them
as possible are put back, the most important first. Of the nodes, the one is taken where the least is lost.
Source: kube-scheduler's framework/preemption and plugins/defaultpreemption.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kubelearn.api.resource import Obj
from kubelearn.api.selectors import from_label_selector
from kubelearn.scheduler.filtering import Filters
from kubelearn.scheduler.framework import NodeInfo, Nodes, PodInfo, Rejection

NO_VICTIMS = Rejection(("No preemption victims found for incoming pod",))
NOT_HELPFUL = Rejection(("Preemption is not helpful for scheduling",))
NEVER = "not eligible due to preemptionPolicy=Never."
GOING_ON = "not eligible due to a terminating pod on the nominated node."
CONDITION = "DisruptionTarget"
REASON = "PreemptionByScheduler"
_LATEST = "9"  # sorts after every time: a pod that was not started yet
_SHIFT = 2**31


@dataclass(frozen=True, slots=True)
class Preemption:
    """`victims`, the most important first, are to go from `node`."""

    node: str
    victims: tuple[PodInfo, ...]
    violations: int = 0


def not_eligible(pod: PodInfo, nominated: str, rejected: Mapping[str, Rejection], nodes: Nodes) -> str:
    """Why the pod may not have others removed now; empty if it may."""
    if pod.spec.get("preemptionPolicy") == "Never":
        return NEVER
    if not nominated or (nominated in rejected and rejected[nominated].final):
        return ""
    here = next((node for node in nodes if node.name == nominated), None)
    if here is not None and any(p.priority < pod.priority and _was_preempted(p) for p in here.pods.values()):
        return GOING_ON
    return ""


def _was_preempted(pod: PodInfo) -> bool:
    conditions = (pod.obj.get("status") or {}).get("conditions") or ()
    return pod.terminating and any(
        c.get("type") == CONDITION and c.get("status") == "True" and c.get("reason") == REASON for c in conditions
    )


def search(
    pod: PodInfo, nodes: Nodes, rejected: Mapping[str, Rejection], filters: Filters, budgets: Sequence[Obj]
) -> tuple[Preemption | None, list[Rejection]]:
    """The best preemption, or None with the reason on each node."""
    candidates, reasons = [], []
    for node in nodes:
        if rejected[node.name].final:
            reasons.append(NOT_HELPFUL)
            continue
        found = _on_node(pod, node, filters.trial, budgets)
        if isinstance(found, Rejection):
            reasons.append(found)
        else:
            candidates.append(found)
    return (min(candidates, key=_loss), []) if candidates else (None, reasons)


def _on_node(
    pod: PodInfo, node: NodeInfo, trial: Callable[[NodeInfo], Rejection | None], budgets: Sequence[Obj]
) -> Preemption | Rejection:
    lower = sorted((p for p in node.pods.values() if p.priority < pod.priority), key=_importance)
    if not lower:
        return NO_VICTIMS
    emptied = node.copy()
    for other in lower:
        emptied.remove(other.uid)
    rejection = trial(emptied)
    if rejection is not None:
        return rejection
    protected = _protected(lower, budgets)
    victims, violations = [], 0
    for other in sorted(lower, key=lambda p: p.uid not in protected):
        emptied.add(other)
        if trial(emptied) is not None:
            emptied.remove(other.uid)
            victims.append(other)
            violations += other.uid in protected
    return Preemption(node.name, tuple(sorted(victims, key=_importance)), violations)


def _importance(pod: PodInfo) -> tuple[int, str]:
    return -pod.priority, _started(pod)


def _started(pod: PodInfo) -> str:
    """RFC 3339 in UTC sorts as text."""
    return (pod.obj.get("status") or {}).get("startTime") or _LATEST


def _protected(pods: Iterable[PodInfo], budgets: Sequence[Obj]) -> set[str]:
    """The uids of those whose loss a PodDisruptionBudget does not allow. Budgets are used up in the order given."""
    left = [(budget.get("status") or {}).get("disruptionsAllowed", 0) for budget in budgets]
    found = set()
    for pod in pods:
        for number, budget in enumerate(budgets):
            if _covers(budget, pod):
                left[number] -= 1
                if left[number] < 0:
                    found.add(pod.uid)
    return found


def _covers(budget: Obj, pod: PodInfo) -> bool:
    """An eviction that was granted already is not counted again; an empty selector selects nothing here."""
    given = budget["spec"].get("selector") or {}
    if budget["metadata"]["namespace"] != pod.namespace or not pod.labels or not any(given.values()):
        return False
    granted = (budget.get("status") or {}).get("disruptedPods") or {}
    return pod.name not in granted and from_label_selector(given).matches(pod.labels)


def _loss(found: Preemption) -> tuple[int, int, int, int, tuple[int, ...]]:
    """Smaller is better: budgets broken, the highest priority, the sum of them, how many, and, last, those that were
    started latest lose least."""
    highest = found.victims[0].priority
    earliest = min(_started(pod) for pod in found.victims if pod.priority == highest)
    total = sum(pod.priority + _SHIFT for pod in found.victims)
    return found.violations, highest, total, len(found.victims), tuple(-ord(letter) for letter in earliest)
