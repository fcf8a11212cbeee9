"""Namespace (core/v1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, text_at
from kubelearn.api.kinds._errors import Errors, invalid
from kubelearn.api.kinds._fields import with_metadata
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "", "v1", "Namespace", "namespaces", "namespace", False, short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"), subresources=("finalize", "status"),
)  # fmt: skip
NAME_LABEL = "kubernetes.io/metadata.name"
_POD_SECURITY = "pod-security.kubernetes.io/"
_LEVELS = ("privileged", "baseline", "restricted")


def default(obj: Obj) -> None:
    if name := r.name(obj):
        r.ensure(r.ensure(obj, "metadata"), "labels")[NAME_LABEL] = name
    r.ensure(obj, "spec")
    r.ensure(obj, "status")


def prepare(obj: Obj, old: Obj | None) -> None:
    """Who deletes a namespace waits for its finalizer, which only the finalize subresource changes."""
    spec = r.ensure(obj, "spec")
    if old is None:
        found = r.strings(spec, "finalizers")
        spec["finalizers"] = found if "kubernetes" in found else [*found, "kubernetes"]
        obj["status"] = {"phase": "Active"}
    elif r.has(r.mapping(old, "spec"), "finalizers"):
        spec["finalizers"] = list(r.strings(r.mapping(old, "spec"), "finalizers"))
    else:
        spec.pop("finalizers", None)


def validate(obj: Obj) -> list[FieldError]:
    """The labels that Pod Security admission reads."""
    out: Errors = []
    labels = r.string_map(r.mapping(obj, "metadata"), "labels")
    for mode in ("enforce", "audit", "warn"):
        key = _POD_SECURITY + mode
        if key in labels and labels[key] not in _LEVELS:
            text = f"must be one of {', '.join(_LEVELS)}"
            out.append(invalid(f"metadata.labels[{key}]", labels[key], text))
        key += "-version"
        if key in labels and labels[key] != "latest" and not re.fullmatch(r"v1\.(0|[1-9][0-9]*)", labels[key]):
            out.append(invalid(f"metadata.labels[{key}]", labels[key], 'must be "latest" or "v1.x"'))
    return out


def fields(obj: Obj) -> Mapping[str, str]:
    phase = r.text(r.mapping(obj, "status"), "phase")
    return with_metadata(obj, {"status.phase": phase, "name": r.name(obj)}, namespaced=False)


KIND = Kind(
    RESOURCE,
    (NAME, Column("Status", text_at("status", "phase"), description="Active or Terminating."), AGE),
    default,
    validate,
    prepare=prepare,
    fields=fields,
    has_status=True,
    name_rule="dns1123label",
)
