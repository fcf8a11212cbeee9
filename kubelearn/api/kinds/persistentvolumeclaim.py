"""PersistentVolumeClaim (core/v1)."""

from __future__ import annotations

import copy

from kubelearn.api import quantity
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _claim as claims
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, text_at
from kubelearn.api.kinds._errors import Errors, forbidden, immutable
from kubelearn.api.kinds._pod_update import diff
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", True,
    short_names=("pvc",), subresources=("status",),
)  # fmt: skip
FINALIZER = "kubernetes.io/pvc-protection"
_IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


def default(obj: Obj) -> None:
    claims.default_claim(obj)


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {"phase": "Pending"}
        claims.protect(obj, FINALIZER)
    spec = r.mapping(obj, "spec")
    source, reference = r.mapping(spec, "dataSource"), r.mapping(spec, "dataSourceRef")
    if source and not reference:
        spec["dataSourceRef"] = dict(source)
    elif reference and not source and not r.text(reference, "namespace"):
        spec["dataSource"] = dict(reference)


def validate(obj: Obj) -> list[FieldError]:
    return claims.validate_spec("spec", r.mapping(obj, "spec"))


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    now, before = copy.deepcopy(r.mapping(new, "spec")), r.mapping(old, "spec")
    out: Errors = []
    bound = r.text(r.mapping(old, "status"), "phase") == "Bound"
    if not r.text(before, "volumeName"):  # the binder writes it once
        _take(now, before, "volumeName")
    if bound:
        out += _resized(now, before, old)
        _take(r.ensure(now, "resources"), r.mapping(before, "resources"), "requests")
        _take(now, before, "volumeAttributesClassName")
    if r.text(before, "storageClassName") == "" and not r.has(before, "storageClassName"):
        _take(now, before, "storageClassName")  # a default class may come later
    if now != before:
        out.insert(0, forbidden("spec", f"{_IMMUTABLE}\n{diff(before, now)}"))
    return out + immutable("spec.volumeMode", now.get("volumeMode"), before.get("volumeMode"))


def _take(now: Obj, before: Obj, key: str) -> None:
    now.pop(key, None)
    if key in before:
        now[key] = before[key]


def _resized(now: Obj, before: Obj, old: Obj) -> Errors:
    """A volume can grow; less than it is, never."""
    wanted = r.mapping(now, "resources", "requests").get("storage")
    had = r.mapping(before, "resources", "requests").get("storage")
    capacity = r.mapping(old, "status", "capacity").get("storage")
    if wanted is None or had is None:
        return []
    try:
        if quantity.compare(str(wanted), str(had)) >= 0:
            return []
        if capacity is not None and quantity.compare(str(wanted), str(capacity)) >= 0:
            return []
    except ValueError:
        return []
    return [forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")]


def _phase(obj: Obj) -> str:
    if r.text(r.mapping(obj, "metadata"), "deletionTimestamp"):
        return "Terminating"
    return r.text(r.mapping(obj, "status"), "phase")


def _capacity(obj: Obj) -> str:
    bound = r.text(r.mapping(obj, "spec"), "volumeName")
    return str(r.mapping(obj, "status", "capacity").get("storage", "0")) if bound else ""


def _modes(obj: Obj) -> str:
    bound = r.text(r.mapping(obj, "spec"), "volumeName")
    return claims.short_modes(r.strings(r.mapping(obj, "status"), "accessModes")) if bound else ""


def _class(obj: Obj) -> str:
    annotations = r.string_map(r.mapping(obj, "metadata"), "annotations")
    old = annotations.get("volume.beta.kubernetes.io/storage-class", "")
    return old or r.text(r.mapping(obj, "spec"), "storageClassName")


def _attributes(obj: Obj) -> str:
    return r.text(r.mapping(obj, "spec"), "volumeAttributesClassName") or claims.UNSET


COLUMNS = (
    NAME,
    Column("Status", _phase, description="Pending, Bound or Lost."),
    Column("Volume", text_at("spec", "volumeName"), description="The volume that it is bound to."),
    Column("Capacity", _capacity, description="The size of the volume."),
    Column("Access Modes", _modes, description="How the volume can be mounted."),
    Column("StorageClass", _class, description="Which kind of volume is asked for."),
    Column("VolumeAttributesClass", _attributes, description="How the volume is to perform."),
    AGE,
    Column("VolumeMode", text_at("spec", "volumeMode", default=claims.UNSET), priority=1,
           description="A file system or a block device."),
)  # fmt: skip
KIND = Kind(RESOURCE, COLUMNS, default, validate, validate_update, prepare, has_status=True)
