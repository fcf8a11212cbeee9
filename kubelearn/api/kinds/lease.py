"""Lease (coordination.k8s.io/v1): heartbeats of nodes, and leader election."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, text_at
from kubelearn.api.kinds._errors import Errors, invalid, nonnegative
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("coordination.k8s.io", "v1", "Lease", "leases", "lease", True)


def default(obj: Obj) -> None:
    r.ensure(obj, "spec")


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    out: Errors = []
    duration = r.number(spec, "leaseDurationSeconds")
    if duration is not None and duration <= 0:
        out.append(invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"))
    return out + nonnegative("spec.leaseTransitions", r.number(spec, "leaseTransitions"))


KIND = Kind(
    RESOURCE,
    (NAME, Column("Holder", text_at("spec", "holderIdentity"), description="Who holds the lease."), AGE),
    default,
    validate,
    create_on_update=True,
)
