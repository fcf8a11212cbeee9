"""IngressClass (networking.k8s.io/v1)."""

from __future__ import annotations

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, NONE, text_at
from kubelearn.api.kinds._errors import Errors, forbidden, immutable, label, required, too_long, unsupported
from kubelearn.api.kinds._job import domain_prefixed_path
from kubelearn.api.kinds._networking import reference
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("networking.k8s.io", "v1", "IngressClass", "ingressclasses", "ingressclass", False)
_MAX_CONTROLLER = 250
_SCOPES = ("Cluster", "Namespace")


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    if r.has(spec, "parameters"):
        r.fill(r.mapping(spec, "parameters"), "scope", "Cluster")


def _parameters(path: str, found: Obj) -> Errors:
    out = reference(path, found)
    scope = r.text(found, "scope")
    if not r.has(found, "scope"):
        return [*out, required(f"{path}.scope")]
    if scope not in _SCOPES:
        return [*out, unsupported(f"{path}.scope", scope, _SCOPES)]
    named = r.has(found, "namespace")
    if scope == "Namespace":
        if not named:
            return [*out, required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")]
        return out + label(f"{path}.namespace", r.text(found, "namespace"))
    return [*out, forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")] if named else out


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    controller = r.text(spec, "controller")
    out: Errors = []
    if not controller:
        out.append(required("spec.controller"))
    else:
        if len(controller) > _MAX_CONTROLLER:
            out.append(too_long("spec.controller", _MAX_CONTROLLER))
        out += domain_prefixed_path("spec.controller", controller)
    if r.has(spec, "parameters"):
        out += _parameters("spec.parameters", r.mapping(spec, "parameters"))
    return out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return immutable("spec.controller", *(r.text(r.mapping(o, "spec"), "controller") for o in (new, old)))


def _parameters_cell(obj: Obj) -> str:
    found = r.mapping(obj, "spec", "parameters")
    if not found:
        return NONE
    group = f".{r.text(found, 'apiGroup')}" if r.has(found, "apiGroup") else ""
    return f"{r.text(found, 'kind')}{group}/{r.text(found, 'name')}"


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("Controller", text_at("spec", "controller"), description="Who serves its Ingresses."),
        Column("Parameters", _parameters_cell, description="Where its settings are."),
        AGE,
    ),
    default,
    validate,
    validate_update,
    has_generation=True,
)
