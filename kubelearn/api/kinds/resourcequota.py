"""ResourceQuota (core/v1): how much of what a namespace may hold."""

from __future__ import annotations

from collections.abc import Callable

from kubelearn.api import names
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME
from kubelearn.api.kinds._errors import Errors, all_invalid, immutable, invalid, required
from kubelearn.api.kinds._podspec_defaults import canonical_quantities
from kubelearn.api.kinds._resources import amount, is_whole, resource_name
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "", "v1", "ResourceQuota", "resourcequotas", "resourcequota", True,
    short_names=("quota",), subresources=("status",),
)  # fmt: skip
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
STANDARD = frozenset(
    (*_COMPUTE, *(f"{side}.{name}" for side in ("requests", "limits") for name in _COMPUTE), "requests.storage",
     "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps",
     "services.nodeports", "services.loadbalancers")
)  # fmt: skip
SCOPES = ("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass",
          "Terminating", "VolumeAttributesClass")  # fmt: skip
_EXCLUSIVE = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_COMPUTE_TRACKED = frozenset(
    ("pods", *_COMPUTE[:2], *(f"{side}.{name}" for side in ("requests", "limits") for name in _COMPUTE[:2]))
)
_HUGE = ("hugepages-", "requests.hugepages-")


def default(obj: Obj) -> None:
    spec, status = r.ensure(obj, "spec"), r.ensure(obj, "status")
    for found in (r.mapping(spec, "hard"), r.mapping(status, "hard"), r.mapping(status, "used")):
        canonical_quantities(found)


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {}


def _name(path: str, name: str) -> Errors:
    """An object count (`count/jobs.batch`), an extended resource, or one of the standard ones."""
    out = all_invalid(path, name, names.qualified_name(name))
    if not out and "/" not in name and name not in STANDARD and not name.startswith(_HUGE):
        out = resource_name(path, name)
        out.append(invalid(path, name, "must be a standard resource for quotas"))
    return out


def _hard(path: str, found: Obj) -> Errors:
    out: Errors = []
    for name, value in sorted(found.items()):
        where = f"{path}[{name}]"
        out += _name(where, name) + amount(where, name, value)
        if (name in STANDARD and name.count(".") == 0 and name not in _COMPUTE) or name.startswith("services."):
            out += is_whole(where, value)
    return out


def _fits(scope: str, hard: Obj) -> bool:
    """Whether a scope may limit all these resources: it can only say something about pods."""
    if scope == "BestEffort":
        return set(hard) <= {"pods"}
    if scope in ("Terminating", "NotTerminating", "NotBestEffort", "PriorityClass"):
        return all(name in _COMPUTE_TRACKED or name.startswith(_HUGE) for name in hard)
    if scope == "CrossNamespacePodAffinity":
        return all(name in _COMPUTE_TRACKED for name in hard)
    return all(name == "persistentvolumeclaims" or name.endswith("requests.storage") for name in hard)


def _scope_list(path: str, key: str, scopes: list[str], shown: object, hard: Obj) -> Errors:
    out: Errors = []
    for scope in scopes:
        if scope not in SCOPES:
            out.append(invalid(path, shown, "unsupported scope"))
        elif not _fits(scope, hard):
            out.append(invalid(path, shown, "unsupported scope applied to resource"))
    for pair in _EXCLUSIVE:
        if set(pair) <= set(scopes):
            out.append(invalid(path, shown, "conflicting scopes"))
    return out


def _scope_selector(path: str, selector: Obj, hard: Obj) -> Errors:
    found = r.objects(selector, "matchExpressions")
    out: Errors = []
    for index, requirement in enumerate(found):
        where, scope = f"{path}.matchExpressions[{index}]", r.text(requirement, "scopeName")
        operator, values = r.text(requirement, "operator"), r.strings(requirement, "values")
        if scope != "PriorityClass" and scope in SCOPES and operator != "Exists" and scope != "VolumeAttributesClass":
            text = (
                "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
            )
            text += "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
            text += "ResourceQuotaScopeCrossNamespacePodAffinity"
            out.append(invalid(f"{where}.operator", operator, text))
        if operator in ("In", "NotIn") and not values:
            text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            out.append(required(f"{where}.values", text))
        elif operator in ("Exists", "DoesNotExist") and values:
            text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            out.append(invalid(f"{where}.values", values, text))
        elif operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            out.append(invalid(f"{where}.operator", operator, "not a valid selector operator"))
    scopes = [r.text(requirement, "scopeName") for requirement in found]
    return out + _scope_list(f"{path}.matchExpressions", "matchExpressions", scopes, scopes, hard)


def validate(obj: Obj) -> list[FieldError]:
    spec, status = r.mapping(obj, "spec"), r.mapping(obj, "status")
    hard, scopes = r.mapping(spec, "hard"), r.strings(spec, "scopes")
    out = _hard("spec.hard", hard)
    out += _scope_list("spec.scopes", "scopes", scopes, scopes, hard)
    if r.has(spec, "scopeSelector"):
        out += _scope_selector("spec.scopeSelector", r.mapping(spec, "scopeSelector"), hard)
    return out + _hard("status.hard", r.mapping(status, "hard")) + _hard("status.used", r.mapping(status, "used"))


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    now, before = (r.mapping(o, "spec") for o in (new, old))
    return immutable("spec.scopes", r.strings(now, "scopes"), r.strings(before, "scopes"))


def _cell(*, limits: bool) -> Callable[[Obj], str]:
    def cell(obj: Obj) -> str:
        status = r.mapping(obj, "status")
        hard, used = r.mapping(status, "hard"), r.mapping(status, "used")
        chosen = [name for name in sorted(hard) if name.startswith("limits.") == limits]
        return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in chosen)

    return cell


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("Request", _cell(limits=False), description="What is asked for, of what may be."),
        Column("Limit", _cell(limits=True), description="The sum of the limits, of what may be."),
        AGE,
    ),
    default,
    validate,
    validate_update,
    prepare,
    has_status=True,
)
