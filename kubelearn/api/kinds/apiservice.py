"""APIService (apiregistration.k8s.io/v1): who serves a group version. Here it is always the API server itself."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME
from kubelearn.api.kinds._errors import Errors, forbidden, invalid, required
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    "apiregistration.k8s.io", "v1", "APIService", "apiservices", "apiservice", False,
    categories=("api-extensions",), subresources=("status",),
)  # fmt: skip
_MAX_GROUP, _MAX_VERSION = 20_000, 1_000


def default(obj: Obj) -> None:
    r.ensure(obj, "spec")
    r.ensure(obj, "status")


def prepare(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj["status"] = {}


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    group, version = r.text(spec, "group"), r.text(spec, "version")
    out: Errors = []
    if (name := r.name(obj)) != f"{version}.{group}":
        out.append(invalid("metadata.name", name, 'must be `spec.version+"."+spec.group`: '))
    if not version:
        out.append(required("spec.version"))
    for key, most in (("groupPriorityMinimum", _MAX_GROUP), ("versionPriority", _MAX_VERSION)):
        if not 0 < r.count(spec, key) <= most:
            out.append(invalid(f"spec.{key}", r.count(spec, key), f"must be positive and less than {most}"))
    if r.has(spec, "service"):
        out.append(forbidden("spec.service", "kubelearn serves all groups itself; it does not pass requests on"))
    return out


def _service(obj: Obj) -> str:
    found = r.mapping(obj, "spec", "service")
    return f"{r.text(found, 'namespace')}/{r.text(found, 'name')}" if found else "Local"


def _available(obj: Obj) -> str:
    for condition in r.objects(r.mapping(obj, "status"), "conditions"):
        if condition.get("type") == "Available":
            status = r.text(condition, "status")
            return status if status == "True" else f"{status} ({r.text(condition, 'reason')})"
    return "Unknown"


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("Service", _service, description="Who serves it."),
        Column("Available", _available, description="Whether it is served."),
        AGE,
    ),
    default, validate, prepare=prepare, has_status=True,
    name_rule="path-segment",  # the core group's is `v1.`
)  # fmt: skip
