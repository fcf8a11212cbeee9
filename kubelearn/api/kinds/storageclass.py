"""StorageClass (storage.k8s.io/v1)."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, text_at
from kubelearn.api.kinds._errors import (
    Errors,
    all_invalid,
    duplicate,
    forbidden,
    immutable,
    invalid,
    required,
    too_long,
    unsupported,
)
from kubelearn.api.kinds._selector import label_name
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "storage.k8s.io", "v1", "StorageClass", "storageclasses", "storageclass", False, short_names=("sc",)
)  # fmt: skip
_DEFAULT_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class",
)  # fmt: skip
_RECLAIM = ("Delete", "Retain")
_MODES = ("Immediate", "WaitForFirstConsumer")
_MAX_PARAMETERS, _MAX_SIZE = 512, 256 * 1024


def is_default(obj: Obj) -> bool:
    """Whether claims that name no class get this one."""
    annotations = r.string_map(r.mapping(obj, "metadata"), "annotations")
    return any(annotations.get(key) == "true" for key in _DEFAULT_ANNOTATIONS)


def default(obj: Obj) -> None:
    r.fill(obj, "reclaimPolicy", "Delete")
    r.fill(obj, "volumeBindingMode", "Immediate")


def parameters(path: str, found: dict[str, str]) -> Errors:
    if len(found) > _MAX_PARAMETERS:
        return [FieldError(path, "FieldValueTooLong", f"Too long: may not be more than {_MAX_PARAMETERS} bytes")]
    out: Errors = [invalid(path, key, "field can not be empty.") for key in found if not key]
    if sum(len(key.encode()) + len(value.encode()) for key, value in found.items()) > _MAX_SIZE:
        out.append(too_long(path, _MAX_SIZE))
    return out


def _topologies(path: str, terms: list[Obj]) -> Errors:
    out: Errors = []
    for index, term in enumerate(terms):
        seen: list[str] = []
        for at, requirement in enumerate(r.objects(term, "matchLabelExpressions")):
            where, key, values = f"{path}[{index}].matchLabelExpressions[{at}]", r.text(requirement, "key"), []
            values = r.strings(requirement, "values")
            if not values:
                out.append(required(f"{where}.values"))
            out += [duplicate(f"{where}.values[{i}]", v) for i, v in enumerate(values) if v in values[:i]]
            out += label_name(f"{where}.key", key)
            if key in seen:
                out.append(duplicate(f"{where}.key", key))
            seen.append(key)
    return out


def validate(obj: Obj) -> list[FieldError]:
    provisioner = r.text(obj, "provisioner")
    out: Errors = [] if provisioner else [required("provisioner")]
    if provisioner:
        out += all_invalid("provisioner", provisioner, names.qualified_name(provisioner.lower()))
    out += parameters("parameters", r.string_map(obj, "parameters"))
    for key, supported in (("reclaimPolicy", _RECLAIM), ("volumeBindingMode", _MODES)):
        if (value := r.text(obj, key)) not in supported:
            out.append(unsupported(key, value, supported))
    return out + _topologies("allowedTopologies", r.objects(obj, "allowedTopologies"))


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    out: Errors = []
    if r.string_map(new, "parameters") != r.string_map(old, "parameters"):
        out.append(forbidden("parameters", "updates to parameters are forbidden."))
    for key in ("provisioner", "reclaimPolicy"):
        if r.text(new, key) != r.text(old, key):
            out.append(forbidden(key, f"updates to {key} are forbidden."))
    return out + immutable("volumeBindingMode", new.get("volumeBindingMode"), old.get("volumeBindingMode"))


def _name(obj: Obj) -> str:
    return r.name(obj) + (" (default)" if is_default(obj) else "")


KIND = Kind(
    RESOURCE,
    (
        Column("Name", _name, format="name", description=NAME.description),
        Column("Provisioner", text_at("provisioner"), description="Who makes its volumes."),
        Column("ReclaimPolicy", text_at("reclaimPolicy"), description="What becomes of them."),
        Column("VolumeBindingMode", text_at("volumeBindingMode"), description="When they are made."),
        Column("AllowVolumeExpansion", lambda obj: r.flag(obj, "allowVolumeExpansion"),
               description="Whether they can grow."),
        AGE,
    ),
    default, validate, validate_update,
)  # fmt: skip
