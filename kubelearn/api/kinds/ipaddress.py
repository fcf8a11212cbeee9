"""IPAddress (networking.k8s.io/v1): one cluster IP, and whose it is."""

from __future__ import annotations

import ipaddress

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import NAME
from kubelearn.api.kinds._errors import Errors, immutable, invalid, required
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "networking.k8s.io", "v1", "IPAddress", "ipaddresses", "ipaddress", False, short_names=("ip",)
)  # fmt: skip


def validate(obj: Obj) -> list[FieldError]:
    out: Errors = []
    name, parent = r.name(obj), r.mapping(obj, "spec", "parentRef")
    try:
        canonical = str(ipaddress.ip_address(name))
    except ValueError:
        out.append(invalid("metadata.name", name, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"))
    else:
        if canonical != name:
            out.append(invalid("metadata.name", name, f'must be in canonical form ("{canonical}")'))
    if not parent:
        return [*out, required("spec.parentRef")]
    return out + [required(f"spec.parentRef.{key}") for key in ("resource", "name") if not r.text(parent, key)]


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return immutable("spec.parentRef", *(r.mapping(o, "spec", "parentRef") for o in (new, old)))


def _parent(obj: Obj) -> str:
    """`services/default/web`, with the group after the resource if it has one."""
    found = r.mapping(obj, "spec", "parentRef")
    resource, group = r.text(found, "resource"), r.text(found, "group")
    parts = [f"{resource}.{group}" if group else resource, r.text(found, "namespace"), r.text(found, "name")]
    return "/".join(part for part in parts if part)


KIND = Kind(
    RESOURCE,
    (NAME, Column("ParentRef", _parent, description="Whose address it is.")),
    validate=validate,
    validate_update=validate_update,
)
