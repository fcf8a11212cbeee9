"""DaemonSet (apps/v1)."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._amounts import amount, at_most_100_percent, int_or_percent
from kubelearn.api.kinds._columns import AGE, NAME, TEMPLATE_COLUMNS, labels, number_at
from kubelearn.api.kinds._errors import Errors, immutable, invalid, nonnegative, required, unsupported
from kubelearn.api.kinds._podspec import default_template, validate_template
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.kinds._workload import is_empty, matches_template, only_always
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "apps", "v1", "DaemonSet", "daemonsets", "daemonset", True,
    short_names=("ds",), categories=("all",), subresources=("status",),
)  # fmt: skip
#: Where apps/v1 keeps the template's generation, which older versions had as a field.
GENERATION_ANNOTATION = "deprecated.daemonset.template.generation"


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    default_template(r.ensure(spec, "template"))
    strategy = r.ensure(spec, "updateStrategy")
    r.fill_text(strategy, "type", "RollingUpdate")
    if r.text(strategy, "type") == "RollingUpdate":
        rolling = r.ensure(strategy, "rollingUpdate")
        r.fill(rolling, "maxUnavailable", 1)
        r.fill(rolling, "maxSurge", 0)
    r.fill(spec, "revisionHistoryLimit", 10)
    r.ensure(obj, "status")


def _generation(obj: Obj) -> int:
    text = r.string_map(r.mapping(obj, "metadata"), "annotations").get(GENERATION_ANNOTATION, "")
    return int(text) if text.isdecimal() else 0


def prepare(obj: Obj, old: Obj | None) -> None:
    generation = 1
    if old is None:
        obj["status"] = {}
    else:
        changed = r.mapping(obj, "spec").get("template") != r.mapping(old, "spec").get("template")
        generation = _generation(old) + changed
    r.ensure(r.ensure(obj, "metadata"), "annotations")[GENERATION_ANNOTATION] = str(generation)


def _strategy(path: str, strategy: Obj) -> Errors:
    kind = r.text(strategy, "type")
    if kind == "OnDelete":
        return []
    if kind != "RollingUpdate":
        shown = {"Type": kind, "RollingUpdate": strategy.get("rollingUpdate")}
        return [unsupported(path, shown, ("RollingUpdate", "OnDelete"))]
    path += ".rollingUpdate"
    if not r.has(strategy, "rollingUpdate"):
        return [required(path)]
    rolling = r.mapping(strategy, "rollingUpdate")
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    out: Errors = []
    for key, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        out += int_or_percent(f"{path}.{key}", value) + at_most_100_percent(f"{path}.{key}", value)
    if amount(unavailable) and amount(surge):
        out.append(invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero"))
    elif not amount(unavailable) and not amount(surge):
        out.append(required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return out


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    selector = r.mapping(spec, "selector")
    out = label_selector("spec.selector", selector) + matches_template(spec, nothing_matches=True)
    if r.has(spec, "selector") and is_empty(selector):
        out.append(invalid("spec.selector", selector, "empty selector is invalid for daemonset"))
    out += validate_template("spec.template", r.mapping(spec, "template")) + only_always(spec, "DaemonSet")
    out += nonnegative("spec.minReadySeconds", r.number(spec, "minReadySeconds"))
    out += _strategy("spec.updateStrategy", r.mapping(spec, "updateStrategy"))
    return out + nonnegative("spec.revisionHistoryLimit", r.number(spec, "revisionHistoryLimit"))


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return immutable("spec.selector", *(r.mapping(o, "spec").get("selector") for o in (new, old)))


def _node_selector(obj: Obj) -> str:
    return labels(r.string_map(r.mapping(obj, "spec", "template", "spec"), "nodeSelector"))


def _count(name: str, key: str, description: str) -> Column:
    return Column(name, number_at("status", key), "integer", description=description)


COLUMNS = (
    NAME,
    _count("Desired", "desiredNumberScheduled", "Nodes that should run the pod."),
    _count("Current", "currentNumberScheduled", "Nodes that run it and should."),
    _count("Ready", "numberReady", "Nodes whose pod is ready."),
    _count("Up-to-date", "updatedNumberScheduled", "Nodes whose pod is of the present template."),
    _count("Available", "numberAvailable", "Nodes whose pod has been ready for minReadySeconds."),
    Column("Node Selector", _node_selector, description="Which nodes the pods are for."),
    AGE,
    *TEMPLATE_COLUMNS,
)
KIND = Kind(
    RESOURCE, COLUMNS, default, validate, validate_update, prepare, has_status=True, has_generation=True
)  # fmt: skip
