"""VolumeAttachment (storage.k8s.io/v1)."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, text_at
from kubelearn.api.kinds._csi import driver_name
from kubelearn.api.kinds._errors import Errors, forbidden, immutable, required, subdomain
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", "volumeattachment", False,
    subresources=("status",),
)  # fmt: skip
_ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"


def default(obj: Obj) -> None:
    r.ensure(obj, "spec")
    r.fill(r.ensure(obj, "status"), "attached", False)


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {"attached": False}


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    source, attacher = r.mapping(spec, "source"), r.text(spec, "attacher")
    out: Errors = driver_name("spec.attacher", attacher)
    inline, name = r.has(source, "inlineVolumeSpec"), r.has(source, "persistentVolumeName")
    if not inline and not name:
        out.append(required("spec.source", _ONE_SOURCE))
    elif inline and name:
        out.append(forbidden("spec.source", _ONE_SOURCE))
    elif name:
        out += subdomain("spec.source.persistentVolumeName", r.text(source, "persistentVolumeName"))
    return out + subdomain("spec.nodeName", r.text(spec, "nodeName"))


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return immutable("spec", new.get("spec"), old.get("spec"))


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("Attacher", text_at("spec", "attacher"), format="name", description="The driver that attaches it."),
        Column("PV", text_at("spec", "source", "persistentVolumeName"), description="The volume."),
        Column("Node", text_at("spec", "nodeName"), description="Where to."),
        Column("Attached", lambda obj: r.flag(r.mapping(obj, "status"), "attached"), "boolean",
               description="Whether it is."),
        AGE,
    ),
    default, validate, validate_update, prepare, has_status=True,
)  # fmt: skip
