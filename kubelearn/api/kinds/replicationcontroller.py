"""ReplicationController (core/v1): what ReplicaSets came from."""

from __future__ import annotations

from collections.abc import Mapping

from kubelearn.api.kind import Column, FieldError, Kind, Scale
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, container_columns, labels, number_at
from kubelearn.api.kinds._errors import Errors, invalid, nonnegative, required
from kubelearn.api.kinds._fields import with_metadata
from kubelearn.api.kinds._podspec import default_template, validate_template
from kubelearn.api.kinds._workload import only_always
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "", "v1", "ReplicationController", "replicationcontrollers", "replicationcontroller", True,
    short_names=("rc",), categories=("all",), subresources=("scale", "status"),
)  # fmt: skip


def default(obj: Obj) -> None:
    """Selector and labels are those of the template where none are given."""
    spec, meta = r.ensure(obj, "spec"), r.ensure(obj, "metadata")
    r.fill(spec, "replicas", 1)
    if r.has(spec, "template"):
        template = r.mapping(spec, "template")
        default_template(template)
        found = r.string_map(r.mapping(template, "metadata"), "labels")
        if found and not r.mapping(spec, "selector"):
            spec["selector"] = dict(found)
        if found and not r.mapping(meta, "labels"):
            meta["labels"] = dict(found)
    r.fill(r.ensure(obj, "status"), "replicas", 0)


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {"replicas": 0}


def _template(spec: Obj, selector: dict[str, str]) -> Errors:
    if not r.has(spec, "template"):
        return [required("spec.template")]
    template = r.mapping(spec, "template")
    found = r.string_map(r.mapping(template, "metadata"), "labels")
    out: Errors = []
    if any(found.get(key) != value for key, value in selector.items()):
        text = "`selector` does not match template `labels`"
        out.append(invalid("spec.template.metadata.labels", found or None, text))
    return out + validate_template("spec.template", template) + only_always(spec, "ReplicationController")


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    selector = r.string_map(spec, "selector")
    out = nonnegative("spec.minReadySeconds", r.number(spec, "minReadySeconds"))
    if not selector:
        out.append(required("spec.selector"))
    return out + nonnegative("spec.replicas", r.number(spec, "replicas")) + _template(spec, selector)


def fields(obj: Obj) -> Mapping[str, str]:
    return with_metadata(obj, {"status.replicas": str(r.count(r.mapping(obj, "status"), "replicas"))})


COLUMNS = (
    NAME,
    Column("Desired", number_at("spec", "replicas"), "integer", description="Number of pods wanted."),
    Column("Current", number_at("status", "replicas"), "integer", description="Number of pods there are."),
    Column("Ready", number_at("status", "readyReplicas"), "integer", description="Number of pods that are ready."),
    AGE,
    *container_columns("spec", "template", "spec"),
    Column("Selector", lambda obj: labels(r.string_map(r.mapping(obj, "spec"), "selector")), priority=1,
           description="Labels of the pods that it manages."),
)  # fmt: skip
KIND = Kind(
    RESOURCE, COLUMNS, default, validate, prepare=prepare, fields=fields,
    has_status=True, has_generation=True, scale=Scale(),
)  # fmt: skip
