"""ReplicaSet (apps/v1)."""

from __future__ import annotations

from collections.abc import Mapping

from kubelearn.api.kind import Column, FieldError, Kind, Scale
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, TEMPLATE_COLUMNS, number_at
from kubelearn.api.kinds._errors import immutable, nonnegative
from kubelearn.api.kinds._fields import with_metadata
from kubelearn.api.kinds._podspec import default_template
from kubelearn.api.kinds._workload import validate_selected_template, validate_selector
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "apps", "v1", "ReplicaSet", "replicasets", "replicaset", True,
    short_names=("rs",), categories=("all",), subresources=("scale", "status"),
)  # fmt: skip
COLUMNS = (
    NAME,
    Column("Desired", number_at("spec", "replicas"), "integer", description="Number of pods wanted."),
    Column("Current", number_at("status", "replicas"), "integer", description="Number of pods there are."),
    Column("Ready", number_at("status", "readyReplicas"), "integer", description="Number of pods that are ready."),
    AGE,
    *TEMPLATE_COLUMNS,
)


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    r.fill(spec, "replicas", 1)
    default_template(r.ensure(spec, "template"))
    r.fill(r.ensure(obj, "status"), "replicas", 0)


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {"replicas": 0}


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    out = nonnegative("spec.replicas", r.number(spec, "replicas"))
    out += nonnegative("spec.minReadySeconds", r.number(spec, "minReadySeconds"))
    return out + validate_selector(spec) + validate_selected_template(spec)


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return immutable("spec.selector", *(r.mapping(o, "spec").get("selector") for o in (new, old)))


def fields(obj: Obj) -> Mapping[str, str]:
    return with_metadata(obj, {"status.replicas": str(r.count(r.mapping(obj, "status"), "replicas"))})


KIND = Kind(
    RESOURCE, COLUMNS, default, validate, validate_update, prepare, fields,
    has_status=True, has_generation=True, scale=Scale(),
)  # fmt: skip
