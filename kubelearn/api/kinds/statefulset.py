"""StatefulSet (apps/v1)."""

from __future__ import annotations

from kubelearn.api import selectors
from kubelearn.api.kind import Column, FieldError, Kind, Scale
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._amounts import amount, at_most_100_percent, int_or_percent
from kubelearn.api.kinds._claim import default_claim
from kubelearn.api.kinds._columns import AGE, NAME, container_columns
from kubelearn.api.kinds._errors import Errors, forbidden, invalid, label, nonnegative, required, unsupported
from kubelearn.api.kinds._podspec import default_template, validate_template
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.kinds._workload import is_empty, matches_template, only_always
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "apps", "v1", "StatefulSet", "statefulsets", "statefulset", True,
    short_names=("sts",), categories=("all",), subresources=("scale", "status"),
)  # fmt: skip
_MUTABLE = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy", "minReadySeconds")  # fmt: skip
_UPDATE_TEXT = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    r.fill(spec, "replicas", 1)
    r.fill_text(spec, "podManagementPolicy", "OrderedReady")
    strategy = r.ensure(spec, "updateStrategy")
    if not r.text(strategy, "type"):
        r.fill_text(strategy, "type", "RollingUpdate")
        r.ensure(strategy, "rollingUpdate")
    if r.text(strategy, "type") == "RollingUpdate" and r.has(strategy, "rollingUpdate"):
        r.fill(r.mapping(strategy, "rollingUpdate"), "partition", 0)
    retention = r.ensure(spec, "persistentVolumeClaimRetentionPolicy")
    for key in ("whenDeleted", "whenScaled"):
        r.fill_text(retention, key, "Retain")
    r.fill(spec, "revisionHistoryLimit", 10)
    default_template(r.ensure(spec, "template"))
    for claim in r.objects(spec, "volumeClaimTemplates"):
        claim["apiVersion"], claim["kind"] = "v1", "PersistentVolumeClaim"
        default_claim(claim)
    r.ensure(obj, "status")


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {"replicas": 0}


def _strategy(path: str, strategy: Obj) -> Errors:
    kind, rolling = r.text(strategy, "type"), r.mapping(strategy, "rollingUpdate")
    if not kind:
        return [required(path)]
    if kind == "OnDelete":
        if r.has(strategy, "rollingUpdate"):
            shown = {"Partition": r.count(rolling, "partition"), "MaxUnavailable": rolling.get("maxUnavailable")}
            text = "only allowed for updateStrategy 'RollingUpdate'"
            return [invalid(f"{path}.rollingUpdate", shown, text)]
        return []
    if kind != "RollingUpdate":
        shown = {"Type": kind, "RollingUpdate": strategy.get("rollingUpdate")}
        return [invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")]
    out = nonnegative(f"{path}.rollingUpdate.partition", r.number(rolling, "partition"))
    if r.has(rolling, "maxUnavailable"):
        where, value = f"{path}.rollingUpdate.maxUnavailable", rolling["maxUnavailable"]
        out += int_or_percent(where, value)
        if amount(value) == 0:
            out.append(invalid(where, value, "cannot be 0"))
        out += at_most_100_percent(where, value)
    return out


def _retention(path: str, policy: Obj) -> Errors:
    out: Errors = []
    for key in ("whenDeleted", "whenScaled"):
        value = r.text(policy, key)
        if value not in ("Retain", "Delete"):
            out.append(unsupported(f"{path}.{key}", value, ("Retain", "Delete")))
    return out


def _selector(spec: Obj) -> Errors:
    if not r.has(spec, "selector"):
        return [required("spec.selector")]
    selector = r.mapping(spec, "selector")
    out = label_selector("spec.selector", selector)
    if is_empty(selector):
        out.append(invalid("spec.selector", selector, "empty selector is invalid for statefulset"))
    try:
        selectors.from_label_selector(selector)
    except (ValueError, KeyError, TypeError, AttributeError):
        out.append(invalid("spec.selector", selector, ""))
    return out


def _template(spec: Obj) -> Errors:
    """The template as its pods will be: with a volume for each claim."""
    template, pod = r.mapping(spec, "template"), r.mapping(spec, "template", "spec")
    names = [r.name(claim) for claim in r.objects(spec, "volumeClaimTemplates")]
    claimed = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names if name]
    others = [v for v in r.objects(pod, "volumes") if r.text(v, "name") not in names]
    whole = {**template, "spec": {**pod, "volumes": [*others, *claimed]}} if claimed else template
    return matches_template(spec) + validate_template("spec.template", whole)


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    out: Errors = []
    policy = r.text(spec, "podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        out.append(invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"))
    out += _strategy("spec.updateStrategy", r.mapping(spec, "updateStrategy"))
    path = "spec.persistentVolumeClaimRetentionPolicy"
    out += _retention(path, r.mapping(spec, "persistentVolumeClaimRetentionPolicy"))
    out += nonnegative("spec.replicas", r.number(spec, "replicas"))
    out += nonnegative("spec.minReadySeconds", r.number(spec, "minReadySeconds"))
    out += nonnegative("spec.ordinals.start", r.number(r.mapping(spec, "ordinals"), "start"))
    out += nonnegative("spec.revisionHistoryLimit", r.number(spec, "revisionHistoryLimit"))
    if service := r.text(spec, "serviceName"):
        out += label("spec.serviceName", service)
    return out + _selector(spec) + _template(spec) + only_always(spec, "StatefulSet")


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    now, before = ({k: v for k, v in r.mapping(o, "spec").items() if k not in _MUTABLE} for o in (new, old))
    return [] if now == before else [forbidden("spec", _UPDATE_TEXT)]


def _ready(obj: Obj) -> str:
    return f"{r.count(r.mapping(obj, 'status'), 'readyReplicas')}/{r.count(r.mapping(obj, 'spec'), 'replicas')}"


COLUMNS = (
    NAME,
    Column("Ready", _ready, description="Number of the pods that are ready, and of those wanted."),
    AGE,
    *container_columns("spec", "template", "spec"),
)
KIND = Kind(
    RESOURCE, COLUMNS, default, validate, validate_update, prepare,
    has_status=True, has_generation=True, scale=Scale(),
)  # fmt: skip
