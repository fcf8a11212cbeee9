"""Where a pod may run: its tolerations against a node's taints, its selector and affinity against a node's labels. Pure.

The scheduler, the DaemonSet controller and the eviction by taints must agree on it. Source: Kubernetes'
component-helpers/scheduling/corev1 and pkg/apis/core/v1/helper.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubelearn.api.resource import Obj


def tolerates(toleration: Obj, taint: Obj) -> bool:
    effect, key = toleration.get("effect"), toleration.get("key")
    if (effect and effect != taint.get("effect")) or (key and key != taint.get("key")):
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(key) and (toleration.get("value") or "") == (taint.get("value") or "")


def untolerated(tolerations: Iterable[Obj], taints: Iterable[Obj], effects: tuple[str, ...]) -> list[Obj]:
    tolerations = list(tolerations)
    return [t for t in taints if t.get("effect") in effects and not any(tolerates(x, t) for x in tolerations)]


def matches_required(spec: Obj, name: str, labels: Mapping[str, Any]) -> bool:
    """A pod spec's nodeSelector and required node affinity together, against a node of that name and labels."""
    selector = spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    affinity: Obj = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(matches_term(term, name, labels) for term in required.get("nodeSelectorTerms") or [])


def matches_term(term: Obj, name: str, labels: Mapping[str, Any]) -> bool:
    """A term without any requirement matches nothing."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    return all(_matches(e, labels) for e in expressions) and all(_matches(f, {"metadata.name": name}) for f in fields)


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
