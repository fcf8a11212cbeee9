"""PodTemplate (core/v1)."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import NAME, container_columns, labels
from kubelearn.api.kinds._podspec import default_template, validate_template
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("", "v1", "PodTemplate", "podtemplates", "podtemplate", True)


def default(obj: Obj) -> None:
    default_template(r.ensure(obj, "template"))


def validate(obj: Obj) -> list[FieldError]:
    return validate_template("template", r.mapping(obj, "template"))


def _labels(obj: Obj) -> str:
    return labels(r.string_map(r.mapping(obj, "template", "metadata"), "labels"))


KIND = Kind(
    RESOURCE,
    (
        NAME,
        *container_columns("template", "spec", priority=0),
        Column("Pod Labels", _labels, description="Labels that its pods get."),
    ),
    default,
    validate,
    has_generation=True,
)
