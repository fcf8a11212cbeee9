"""PersistentVolume (core/v1)."""

from __future__ import annotations

import posixpath

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _claim as claims
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, text_at
from kubelearn.api.kinds._errors import Errors, forbidden, immutable, required, unsupported
from kubelearn.api.kinds._pod_update import diff
from kubelearn.api.kinds._podspec_defaults import canonical_quantities, default_disk
from kubelearn.api.kinds._scheduling import node_selector
from kubelearn.api.kinds._volumes import persistent_source
from kubelearn.api.resource import Obj, Resource
from kubelearn.kit import clock

RESOURCE = Resource(
    "", "v1", "PersistentVolume", "persistentvolumes", "persistentvolume", False,
    short_names=("pv",), subresources=("status",),
)  # fmt: skip
FINALIZER = "kubernetes.io/pv-protection"
_RECLAIM = ("Delete", "Recycle", "Retain")
#: The fields of the spec that are no volume source.
_PLAIN = ("accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy",
          "storageClassName", "volumeAttributesClassName", "volumeMode")  # fmt: skip


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    r.fill_text(spec, "persistentVolumeReclaimPolicy", "Retain")
    r.fill(spec, "volumeMode", "Filesystem")
    canonical_quantities(r.mapping(spec, "capacity"))
    if r.has(spec, "hostPath"):
        r.fill(r.mapping(spec, "hostPath"), "type", "")
    default_disk(spec)
    r.fill_text(r.ensure(obj, "status"), "phase", "Pending")


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        now = clock.rfc3339(clock.utc_now())
        obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": now}
        claims.protect(obj, FINALIZER)


def _sources(spec: Obj) -> Obj:
    return {key: value for key, value in spec.items() if key not in _PLAIN and value is not None}


def _capacity(capacity: Obj) -> Errors:
    out: Errors = [] if capacity else [required("spec.capacity")]
    if set(capacity) != {"storage"}:
        out.append(unsupported("spec.capacity", capacity or None, ("storage",)))
    for name, value in sorted(capacity.items()):
        out += claims.positive(f"spec.capacity[{name}]", value)
    return out


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    modes, policy = r.strings(spec, "accessModes"), r.text(spec, "persistentVolumeReclaimPolicy")
    out: Errors = [] if modes else [required("spec.accessModes")]
    out += claims.access_modes("spec.accessModes", modes)
    out += _capacity(r.mapping(spec, "capacity"))
    if policy and policy not in _RECLAIM:
        out.append(unsupported("spec.persistentVolumeReclaimPolicy", policy, _RECLAIM))
    if r.has(spec, "nodeAffinity"):
        where, affinity = "spec.nodeAffinity.required", r.mapping(spec, "nodeAffinity")
        if r.has(affinity, "required"):
            out += node_selector(where, r.mapping(affinity, "required"))
        else:
            out.append(required(where, "must specify required node constraints"))
    out += persistent_source("spec", _sources(spec))
    host = r.text(r.mapping(spec, "hostPath"), "path")
    if host and posixpath.normpath(host) in ("/", "//") and policy == "Recycle":
        text = "may not be 'recycle' for a hostPath mount of '/'"
        out.append(forbidden("spec.persistentVolumeReclaimPolicy", text))
    out += claims.class_name("spec", spec, "storageClassName")
    return out + claims.volume_mode("spec.volumeMode", spec)


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    now, before = (r.mapping(o, "spec") for o in (new, old))
    out: Errors = []
    if _sources(now) != _sources(before):
        text = "spec.persistentvolumesource is immutable after creation\n" + diff(_sources(before), _sources(now))
        out.append(forbidden("spec.persistentvolumesource", text))
    out += immutable("spec.volumeMode", now.get("volumeMode"), before.get("volumeMode"))
    if r.has(before, "nodeAffinity"):
        out += immutable("spec.nodeAffinity", now.get("nodeAffinity"), before.get("nodeAffinity"))
    return out


def _phase(obj: Obj) -> str:
    if r.text(r.mapping(obj, "metadata"), "deletionTimestamp"):
        return "Terminating"
    return r.text(r.mapping(obj, "status"), "phase")


def _claim(obj: Obj) -> str:
    claim = r.mapping(obj, "spec", "claimRef")
    return f"{r.text(claim, 'namespace')}/{r.text(claim, 'name')}" if claim else ""


def _size(obj: Obj) -> str:
    return str(r.mapping(obj, "spec", "capacity").get("storage", "0"))


COLUMNS = (
    NAME,
    Column("Capacity", _size, description="The size of the volume."),
    Column("Access Modes", lambda obj: claims.short_modes(r.strings(r.mapping(obj, "spec"), "accessModes")),
           description="How it can be mounted."),
    Column("Reclaim Policy", text_at("spec", "persistentVolumeReclaimPolicy"), description="What becomes of it."),
    Column("Status", _phase, description="Available, Bound, Released or Failed."),
    Column("Claim", _claim, description="The claim that it is bound to."),
    Column("StorageClass", text_at("spec", "storageClassName"), description="Which kind of volume it is."),
    Column("VolumeAttributesClass", text_at("spec", "volumeAttributesClassName", default=claims.UNSET),
           description="How it is to perform."),
    Column("Reason", text_at("status", "reason"), description="Why it is in that state."),
    AGE,
    Column("VolumeMode", text_at("spec", "volumeMode", default=claims.UNSET), priority=1,
           description="A file system or a block device."),
)  # fmt: skip
KIND = Kind(RESOURCE, COLUMNS, default, validate, validate_update, prepare, has_status=True)
