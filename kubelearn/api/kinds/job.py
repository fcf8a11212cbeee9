"""Job (batch/v1)."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from kubelearn.api import names, selectors, table
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, TEMPLATE_COLUMNS
from kubelearn.api.kinds._errors import IMMUTABLE, Errors, immutable, invalid, required
from kubelearn.api.kinds._fields import with_metadata
from kubelearn.api.kinds._job import is_indexed, validate_job_spec
from kubelearn.api.kinds._podspec import default_template
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.resource import Obj, Resource
from kubelearn.kit import clock

RESOURCE = Resource(
    "batch", "v1", "Job", "jobs", "job", True, categories=("all",), subresources=("status",)
)  # fmt: skip
_PREFIX = "batch.kubernetes.io/"
UID_LABEL, NAME_LABEL = f"{_PREFIX}controller-uid", f"{_PREFIX}job-name"
_LEGACY_UID, _LEGACY_NAME = "controller-uid", "job-name"
#: The order in which they decide what `kubectl get` calls the status.
_STATUSES = (
    ("Complete", "Complete"), ("Failed", "Failed"), ("", "Terminating"), ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"), ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)  # fmt: skip
_ONCE_SET = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
#: What may change in the template of a Job that is suspended and has not started.
_SUSPENDED_SPEC = ("affinity", "nodeSelector", "schedulingGates", "tolerations")
_MAX_INT32 = 2**31 - 1


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    if not r.has(spec, "completions") and not r.has(spec, "parallelism"):
        r.fill(spec, "completions", 1)
    r.fill(spec, "parallelism", 1)
    r.fill(spec, "backoffLimit", _MAX_INT32 if r.has(spec, "backoffLimitPerIndex") else 6)
    r.fill(spec, "completionMode", "NonIndexed")
    r.fill(spec, "suspend", False)
    r.fill(spec, "manualSelector", False)
    for rule in r.objects(r.mapping(spec, "podFailurePolicy"), "rules"):
        for pattern in r.objects(rule, "onPodConditions"):
            r.fill_text(pattern, "status", "True")
    r.fill(spec, "podReplacementPolicy", "Failed" if r.has(spec, "podFailurePolicy") else "TerminatingOrFailed")
    template = r.ensure(spec, "template")
    default_template(template)
    meta, labels = r.ensure(obj, "metadata"), r.mapping(template, "metadata", "labels")
    if labels and not r.mapping(meta, "labels"):
        meta["labels"] = dict(labels)
    r.ensure(obj, "status")


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is not None:
        return
    obj["status"] = {}
    if not r.flag(r.mapping(obj, "spec"), "manualSelector"):
        _generate_selector(obj)
    default(obj)


def _generate_selector(obj: Obj) -> None:
    """The pods of a Job are those that carry its uid; a label of the user's is left to validation."""
    meta, spec = r.mapping(obj, "metadata"), r.mapping(obj, "spec")
    labels = r.ensure(r.ensure(r.mapping(spec, "template"), "metadata"), "labels")
    uid, name = r.text(meta, "uid"), r.text(meta, "name")
    for key, value in ((_LEGACY_NAME, name), (NAME_LABEL, name), (_LEGACY_UID, uid), (UID_LABEL, uid)):
        labels.setdefault(key, value)
    r.ensure(r.ensure(spec, "selector"), "matchLabels").setdefault(UID_LABEL, uid)


def _status(obj: Obj) -> str:
    found = r.objects(r.mapping(obj, "status"), "conditions")
    true = {r.text(c, "type") for c in found if r.text(c, "status") == "True"}
    for condition, shown in _STATUSES:
        if condition in true or (not condition and r.text(r.mapping(obj, "metadata"), "deletionTimestamp")):
            return shown
    return "Running"


def _completions(obj: Obj) -> str:
    spec, done = r.mapping(obj, "spec"), r.count(r.mapping(obj, "status"), "succeeded")
    wanted, parallelism = r.number(spec, "completions"), r.count(spec, "parallelism")
    if wanted is not None:
        return f"{done}/{wanted}"
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _duration(obj: Obj) -> str:
    status = r.mapping(obj, "status")
    start, end = r.text(status, "startTime"), r.text(status, "completionTime")
    if not start:
        return ""
    try:
        return table.age(start, clock.parse(end) if end else None)
    except ValueError:
        return table.UNKNOWN


def _has_label(labels: dict[str, str], key: str, value: str) -> Errors:
    where = f"spec.template.metadata.labels[{key}]"
    if key not in labels:
        return [required(where, f"must be '{value}'")]
    return [] if labels[key] == value else [invalid(where, labels, f"must be '{value}'")]


def _generated(obj: Obj) -> Errors:
    meta, spec = r.mapping(obj, "metadata"), r.mapping(obj, "spec")
    if r.flag(spec, "manualSelector") or not r.has(spec, "selector"):
        return []
    uid, name = r.text(meta, "uid"), r.text(meta, "name")
    out = [] if uid else [required("metadata.uid")]
    wanted = {_LEGACY_UID: uid, _LEGACY_NAME: name, UID_LABEL: uid, NAME_LABEL: name}
    labels = r.string_map(r.mapping(spec, "template", "metadata"), "labels")
    for key, value in wanted.items():
        out += _has_label(labels, key, value)
    if not _matches(spec, wanted):
        out.append(invalid("spec.selector", spec["selector"], "`selector` not auto-generated"))
    return out


def _matches(spec: Obj, labels: Mapping[str, str]) -> bool:
    """Also true for a selector that is none: another check says so."""
    try:
        return selectors.from_label_selector(r.mapping(spec, "selector")).matches(labels)
    except (ValueError, KeyError, TypeError, AttributeError):
        return True


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    out = _generated(obj) + validate_job_spec("spec", spec)
    if r.has(spec, "selector"):
        out += label_selector("spec.selector", r.mapping(spec, "selector"))
        labels = r.string_map(r.mapping(spec, "template", "metadata"), "labels")
        if not _matches(spec, labels):
            text = "`selector` does not match template `labels`"
            out.append(invalid("spec.template.metadata.labels", labels or None, text))
    else:
        out.append(required("spec.selector"))
    if is_indexed(spec) and r.count(spec, "completions") > 0:
        host = f"{r.name(obj)}-{r.count(spec, 'completions') - 1}"
        if names.dns1123_label(host):
            text = f"will not able to create pod with invalid DNS label: {host}"
            out.append(invalid("metadata.name", r.name(obj), text))
    return out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    now, before = r.mapping(new, "spec"), r.mapping(old, "spec")
    out = _completions_update(now, before)
    out += immutable("spec.selector", now.get("selector"), before.get("selector"))
    out += _template_update(new, old)
    for key in _ONCE_SET:
        out += immutable(f"spec.{key}", now.get(key), before.get(key))
    return out


def _completions_update(now: Obj, before: Obj) -> Errors:
    """Elastic indexed jobs change completions together with parallelism."""
    path, value = "spec.completions", r.number(now, "completions")
    if not is_indexed(now):
        return immutable(path, now.get("completions"), before.get("completions"))
    if value == r.number(before, "completions"):
        return []
    if value != r.number(now, "parallelism"):
        text = f"can only be modified in tandem with {'spec.parallelism'}"
        return [invalid(path, now.get("completions"), text)]
    return []


def _template_update(new: Obj, old: Obj) -> Errors:
    now, before = (copy.deepcopy(r.mapping(o, "spec", "template")) for o in (new, old))
    started = r.has(r.mapping(old, "status"), "startTime")
    if r.flag(r.mapping(old, "spec"), "suspend") and not started:
        for key in ("labels", "annotations"):
            _same(r.mapping(now, "metadata"), r.mapping(before, "metadata"), key)
        for key in _SUSPENDED_SPEC:
            _same(r.mapping(now, "spec"), r.mapping(before, "spec"), key)
    if now == before:
        return []
    return [invalid("spec.template", r.mapping(new, "spec", "template"), IMMUTABLE)]


def _same(now: Obj, before: Obj, key: str) -> None:
    now.pop(key, None)
    before.pop(key, None)


def fields(obj: Obj) -> Mapping[str, str]:
    return with_metadata(obj, {"status.successful": str(r.count(r.mapping(obj, "status"), "succeeded"))})


COLUMNS = (
    NAME,
    Column("Status", _status, description="Running, Complete, Failed, Suspended …"),
    Column("Completions", _completions, description="Pods that ended well, of those wanted."),
    Column("Duration", _duration, description="From its start to its completion, or to now."),
    AGE,
    *TEMPLATE_COLUMNS,
)
KIND = Kind(
    RESOURCE, COLUMNS, default, validate, validate_update, prepare, fields, has_status=True, has_generation=True
)  # fmt: skip
