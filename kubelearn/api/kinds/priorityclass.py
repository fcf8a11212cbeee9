"""PriorityClass (scheduling.k8s.io/v1), and the two that every cluster has."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, number_at, text_at
from kubelearn.api.kinds._errors import Errors, choice, forbidden, immutable
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "priorityclass", False, short_names=("pc",)
)  # fmt: skip
#: Value and description of the built-in classes.
SYSTEM = {
    "system-node-critical": (
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    "system-cluster-critical": (
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
}
_PREFIX = "system-"
_HIGHEST = 1_000_000_000
_POLICIES = ("Never", "PreemptLowerPriority")


def default(obj: Obj) -> None:
    r.fill(obj, "preemptionPolicy", "PreemptLowerPriority")
    r.fill(obj, "value", 0)


def _reserved(obj: Obj) -> Errors:
    name = r.name(obj)
    if name not in SYSTEM:
        why = f"{name} is not a known system priority class"
    elif r.count(obj, "value") != SYSTEM[name][0]:
        why = f"value of {name} PriorityClass must be {SYSTEM[name][0]}"
    elif r.flag(obj, "globalDefault"):
        why = f"globalDefault of {name} PriorityClass must be false"
    else:
        return []
    text = f"priority class names with '{_PREFIX}' prefix are reserved for system use only. error: {why}"
    return [forbidden("metadata.name", text)]


def validate(obj: Obj) -> list[FieldError]:
    out: Errors = []
    if r.name(obj).startswith(_PREFIX):
        out += _reserved(obj)
    elif r.count(obj, "value") > _HIGHEST:
        out.append(forbidden("value", f"maximum allowed value of a user defined priority is {_HIGHEST}"))
    return out + choice("preemptionPolicy", r.text(obj, "preemptionPolicy"), _POLICIES)


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    out: Errors = []
    if r.count(new, "value") != r.count(old, "value"):
        out.append(forbidden("value", "may not be changed in an update."))
    return out + immutable("preemptionPolicy", new.get("preemptionPolicy"), old.get("preemptionPolicy"))


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("Value", number_at("value"), "integer", description="The greater, the more important."),
        Column("Global-Default", lambda obj: r.flag(obj, "globalDefault"), "boolean",
               description="Whether pods get it that name no class."),
        AGE,
        Column("PreemptionPolicy", text_at("preemptionPolicy"), description="Whether others have to make room."),
    ),
    default, validate, validate_update, has_generation=True,
)  # fmt: skip
