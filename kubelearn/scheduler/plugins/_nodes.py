"""What several plugins ask of a node: does it match the pod's node affinity, does the pod tolerate its taints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.scheduler.framework import NodeInfo, PodInfo


def tolerates(tolerations: list[Obj], taint: Obj) -> bool:
    return any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration: Obj, taint: Obj) -> bool:
    effect, key = toleration.get("effect"), toleration.get("key")
    if (effect and effect != taint.get("effect")) or (key and key != taint.get("key")):
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(key) and (toleration.get("value") or "") == (taint.get("value") or "")


def untolerated(pod: PodInfo, node: NodeInfo, effects: tuple[str, ...]) -> list[Obj]:
    tolerations = pod.spec.get("tolerations") or []
    return [t for t in node.taints if t.get("effect") in effects and not tolerates(tolerations, t)]


def node_affinity(pod: PodInfo) -> Obj:
    found: Obj = (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}
    return found


def matches_required(pod: PodInfo, node: NodeInfo) -> bool:
    """nodeSelector and required node affinity together."""
    selector = pod.spec.get("nodeSelector") or {}
    if any(node.labels.get(key) != value for key, value in selector.items()):
        return False
    required = node_affinity(pod).get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(matches_term(term, node) for term in required.get("nodeSelectorTerms") or [])


def matches_term(term: Obj, node: NodeInfo) -> bool:
    """A term without any requirement matches nothing."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    return all(_matches(e, node.labels) for e in expressions) and all(
        _matches(f, {"metadata.name": node.name}) for f in fields
    )


def _matches(requirement: Obj, labels: Mapping[str, Any]) -> bool:
    value = labels.get(requirement["key"])
    values = requirement.get("values") or []
    match requirement.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(value, operator, values)
    return False


def _compares(value: str | None, operator: str, values: list[str]) -> bool:
    try:
        have, than = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return have > than if operator == "Gt" else have < than
