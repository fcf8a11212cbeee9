"""PodDisruptionBudget (policy/v1)."""

from __future__ import annotations

from collections.abc import Callable

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._amounts import at_most_100_percent, int_or_percent
from kubelearn.api.kinds._columns import AGE, NAME, number_at
from kubelearn.api.kinds._errors import Errors, invalid, unsupported
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.resource import Obj, Resource
from kubelearn.kit import clock

RESOURCE = Resource(
    "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget", True,
    short_names=("pdb",), subresources=("status",),
)  # fmt: skip
_POLICIES = ("AlwaysAllow", "IfHealthyBudget")


def default(obj: Obj) -> None:
    r.ensure(obj, "spec")
    r.ensure(obj, "status")


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {}


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    out: Errors = []
    if least is not None and most is not None:
        shown = {
            "MinAvailable": least,
            "Selector": spec.get("selector"),
            "MaxUnavailable": most,
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        out.append(invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set"))
    for key, value in (("minAvailable", least), ("maxUnavailable", most)):
        if value is not None:
            out += int_or_percent(f"spec.{key}", value) + at_most_100_percent(f"spec.{key}", value)
    out += label_selector("spec.selector", r.mapping(spec, "selector"))
    policy = r.text(spec, "unhealthyPodEvictionPolicy")
    if r.has(spec, "unhealthyPodEvictionPolicy") and policy not in _POLICIES:
        out.append(unsupported("spec.unhealthyPodEvictionPolicy", policy, _POLICIES))
    return out


def conditions(budget: Obj, *, allowed: bool, failure: str = "") -> list[Obj]:
    """The conditions with DisruptionAllowed as it is now; a failure to find out is an end to disruptions."""
    found = r.objects(r.mapping(budget, "status"), "conditions")
    reason = "SyncFailed" if failure else "SufficientPods" if allowed else "InsufficientPods"
    status = "True" if allowed else "False"
    old = next((c for c in found if c.get("type") == "DisruptionAllowed"), {})
    same = old.get("status") == status
    new = {
        "type": "DisruptionAllowed",
        "status": status,
        "reason": reason,
        "message": failure,
        "lastTransitionTime": old["lastTransitionTime"] if same else clock.rfc3339(clock.utc_now()),
        "observedGeneration": r.count(budget["metadata"], "generation"),
    }
    return [*(c for c in found if c.get("type") != "DisruptionAllowed"), new]


def _amount(key: str) -> Callable[[Obj], str]:
    def cell(obj: Obj) -> str:
        found = r.mapping(obj, "spec").get(key)
        return "N/A" if found is None else str(found)

    return cell


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("Min Available", _amount("minAvailable"), description="Pods that must stay."),
        Column("Max Unavailable", _amount("maxUnavailable"), description="Pods that may be missing."),
        Column("Allowed Disruptions", number_at("status", "disruptionsAllowed"), "integer",
               description="Pods that may go now."),
        AGE,
    ),
    default, validate, prepare=prepare, has_status=True, has_generation=True,
)  # fmt: skip
