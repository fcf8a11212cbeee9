"""Deployment (apps/v1)."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind, Scale
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._amounts import amount, at_most_100_percent, int_or_percent
from kubelearn.api.kinds._columns import AGE, NAME, TEMPLATE_COLUMNS, number_at
from kubelearn.api.kinds._errors import Errors, forbidden, immutable, invalid, nonnegative, required, unsupported
from kubelearn.api.kinds._podspec import default_template
from kubelearn.api.kinds._workload import validate_selected_template, validate_selector
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "apps", "v1", "Deployment", "deployments", "deployment", True,
    short_names=("deploy",), categories=("all",), subresources=("scale", "status"),
)  # fmt: skip


def _ready(obj: Obj) -> str:
    status = r.mapping(obj, "status")
    return f"{r.count(status, 'readyReplicas')}/{r.count(r.mapping(obj, 'spec'), 'replicas')}"


COLUMNS = (
    NAME,
    Column("Ready", _ready, description="Number of the pods that are ready, and of those wanted."),
    Column("Up-to-date", number_at("status", "updatedReplicas"), description="Pods of the present template."),
    Column("Available", number_at("status", "availableReplicas"), description="Pods ready for minReadySeconds."),
    AGE,
    *TEMPLATE_COLUMNS,
)


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    r.fill(spec, "replicas", 1)
    strategy = r.ensure(spec, "strategy")
    r.fill_text(strategy, "type", "RollingUpdate")
    if strategy.get("type") == "RollingUpdate":
        rolling = r.ensure(strategy, "rollingUpdate")
        r.fill(rolling, "maxUnavailable", "25%")
        r.fill(rolling, "maxSurge", "25%")
    r.fill(spec, "revisionHistoryLimit", 10)
    r.fill(spec, "progressDeadlineSeconds", 600)
    default_template(r.ensure(spec, "template"))
    r.ensure(obj, "status")


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {}


def _rolling(path: str, rolling: Obj) -> Errors:
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    out = int_or_percent(f"{path}.maxUnavailable", unavailable) + int_or_percent(f"{path}.maxSurge", surge)
    if amount(unavailable) == 0 and amount(surge) == 0:
        out.append(invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"))
    return out + at_most_100_percent(f"{path}.maxUnavailable", unavailable)


def _strategy(strategy: Obj) -> Errors:
    kind, rolling = r.text(strategy, "type"), "spec.strategy.rollingUpdate"
    if kind == "Recreate":
        if r.has(strategy, "rollingUpdate"):
            return [forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'")]
        return []
    if kind != "RollingUpdate":
        shown = {"Type": kind, "RollingUpdate": strategy.get("rollingUpdate")}
        return [unsupported("spec.strategy", shown, ("Recreate", "RollingUpdate"))]
    if not r.has(strategy, "rollingUpdate"):
        return [required(rolling, "this should be defaulted and never be nil")]
    return _rolling(rolling, r.mapping(strategy, "rollingUpdate"))


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    out = nonnegative("spec.replicas", r.number(spec, "replicas"))
    out += validate_selector(spec)
    out += validate_selected_template(spec)
    out += _strategy(r.mapping(spec, "strategy"))
    ready, deadline = r.count(spec, "minReadySeconds"), r.number(spec, "progressDeadlineSeconds")
    out += nonnegative("spec.minReadySeconds", ready)
    out += nonnegative("spec.revisionHistoryLimit", r.number(spec, "revisionHistoryLimit"))
    out += nonnegative("spec.progressDeadlineSeconds", deadline)
    if deadline is not None and deadline <= ready:
        out.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return immutable("spec.selector", *(r.mapping(o, "spec").get("selector") for o in (new, old)))


KIND = Kind(
    RESOURCE, COLUMNS, default, validate, validate_update, prepare,
    has_status=True, has_generation=True, scale=Scale(),
)  # fmt: skip
