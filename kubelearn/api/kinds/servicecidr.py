"""ServiceCIDR (networking.k8s.io/v1): where Services get their cluster IPs from."""

from __future__ import annotations

import ipaddress

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME
from kubelearn.api.kinds._errors import Errors, immutable, invalid, required
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs", "servicecidr", False, subresources=("status",)
)


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {}


def validate(obj: Obj) -> list[FieldError]:
    cidrs = r.strings(r.mapping(obj, "spec"), "cidrs")
    if not cidrs:
        return [required("spec.cidrs", "at least one CIDR required")]
    out: Errors = []
    families = []
    for index, cidr in enumerate(cidrs):
        try:
            network = ipaddress.ip_network(cidr)
        except ValueError:
            text = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            out.append(invalid(f"spec.cidrs[{index}]", cidr, text))
        else:
            families.append(network.version)
    if len(cidrs) > 2 or len(set(families)) < len(families):
        out.append(invalid("spec.cidrs", cidrs, "may specify no more than one IP for each IP family"))
    return out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    now, before = (r.strings(r.mapping(o, "spec"), "cidrs") for o in (new, old))
    return immutable("spec.cidrs", now, before)


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("CIDRs", lambda o: ",".join(r.strings(r.mapping(o, "spec"), "cidrs")), description="The ranges."),
        AGE,
    ),
    validate=validate,
    validate_update=validate_update,
    prepare=prepare,
    has_status=True,
)
