"""ValidatingAdmissionPolicy (admissionregistration.k8s.io/v1): rules in CEL that requests must keep to.

Source: Kubernetes' pkg/apis/admissionregistration/validation. What the rules do is `api.policies`.
"""

from __future__ import annotations

import re

from kubelearn.api import names
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._admission import GROUP, default_match, expression, match_resources
from kubelearn.api.kinds._columns import AGE, NAME, UNSET
from kubelearn.api.kinds._errors import Errors, all_invalid, choice, duplicate, invalid, required, unsupported
from kubelearn.api.kinds._selector import label_name
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    GROUP, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", "validatingadmissionpolicy", False,
    categories=("api-extensions",), subresources=("status",),
)  # fmt: skip
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_MAX_CONDITIONS, _MAX_ANNOTATIONS = 64, 20
_MAX_ANNOTATION_BYTES = 5 * 1024


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    r.fill(spec, "failurePolicy", "Fail")
    if r.has(spec, "matchConstraints"):
        default_match(r.mapping(spec, "matchConstraints"))


def prepare(new: Obj, old: Obj | None) -> None:
    if old is None:
        new.pop("status", None)


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    out = choice("spec.failurePolicy", r.text(spec, "failurePolicy"), ("Fail", "Ignore"))
    if r.has(spec, "paramKind"):
        out += _param_kind("spec.paramKind", r.mapping(spec, "paramKind"))
    constraints = r.mapping(spec, "matchConstraints")
    if r.has(spec, "matchConstraints"):
        out += match_resources("spec.matchConstraints", constraints)
        if not r.objects(constraints, "resourceRules"):
            out.append(required("spec.matchConstraints.resourceRules"))
    else:
        out.append(required("spec.matchConstraints"))
    params = r.has(spec, "paramKind")
    out += _conditions("spec.matchConditions", r.objects(spec, "matchConditions"), params=params)
    for index, variable in enumerate(r.objects(spec, "variables")):
        out += _variable(f"spec.variables[{index}]", variable, params=params)
    validations, annotations = r.objects(spec, "validations"), r.objects(spec, "auditAnnotations")
    if not validations and not annotations:
        text = "validations or auditAnnotations must contain at least one item"
        return [*out, required("spec.validations", text), required("spec.auditAnnotations", text)]
    for index, validation in enumerate(validations):
        out += _validation(f"spec.validations[{index}]", validation, params=params)
    return out + _annotations("spec.auditAnnotations", r.name(obj), annotations, params=params)


def _param_kind(path: str, found: Obj) -> Errors:
    version, kind = r.text(found, "apiVersion"), r.text(found, "kind")
    out: Errors = []
    if not version:
        out.append(required(f"{path}.apiVersion"))
    elif version.count("/") > 1:
        out.append(invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}"))
    else:
        group, _, short = version.rpartition("/")
        if group and (wrong := names.dns1123_subdomain(group)):
            out.append(invalid(f"{path}.apiVersion", group, ",".join(wrong)))
        if not short:
            out.append(invalid(f"{path}.apiVersion", version, "version must be specified"))
        elif wrong := names.dns1035_label(short):
            out.append(invalid(f"{path}.apiVersion", short, ",".join(wrong)))
    if not kind:
        out.append(required(f"{path}.kind"))
    elif wrong := names.dns1035_label(kind.lower()):
        text = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
        out.append(invalid(f"{path}.kind", kind, text))
    return out


def _conditions(path: str, found: list[Obj], *, params: bool) -> Errors:
    out: Errors = []
    if len(found) > _MAX_CONDITIONS:
        text = f"Too many: {len(found)}: must have at most {_MAX_CONDITIONS} items"
        out.append(FieldError(path, "FieldValueTooMany", text))
    seen: set[str] = set()
    for index, condition in enumerate(found):
        where, name, text = f"{path}[{index}]", r.text(condition, "name"), r.text(condition, "expression").strip()
        out += (
            expression(f"{where}.expression", text, params=params, variables=False)
            if text
            else [required(f"{where}.expression")]
        )
        out += label_name(f"{where}.name", name) if name else [required(f"{where}.name")]
        if name and name in seen:
            out.append(duplicate(f"{where}.name", name))
        seen.add(name)
    return out


def _variable(path: str, variable: Obj, *, params: bool) -> Errors:
    name, text = r.text(variable, "name"), r.text(variable, "expression")
    out: Errors = []
    if not name.strip():
        out.append(required(f"{path}.name", "name is not specified"))
    elif not _IDENTIFIER.fullmatch(name):
        out.append(invalid(f"{path}.name", name, "name is not a valid CEL identifier"))
    if not text.strip():
        return [*out, required(f"{path}.expression", "expression is not specified")]
    return out + expression(f"{path}.expression", text, params=params)


def _validation(path: str, found: Obj, *, params: bool) -> Errors:
    text, told, message = (r.text(found, key) for key in ("expression", "messageExpression", "message"))
    out: Errors = []
    if text.strip():
        out += expression(f"{path}.expression", text, params=params)
    else:
        out.append(required(f"{path}.expression", "expression is not specified"))
    if told.strip():
        out += expression(f"{path}.messageExpression", told, params=params)
    elif told:
        out.append(invalid(f"{path}.messageExpression", told, "must be non-empty if specified"))
    if message and not message.strip():
        out.append(invalid(f"{path}.message", message, "message must be non-empty if specified"))
    elif "\n" in message.strip() or "\r" in message.strip():
        out.append(invalid(f"{path}.message", message, "message must not contain line breaks"))
    if r.has(found, "reason") and r.text(found, "reason") not in _REASONS:
        out.append(unsupported(f"{path}.reason", r.text(found, "reason"), _REASONS))
    return out


def _annotations(path: str, policy: str, found: list[Obj], *, params: bool) -> Errors:
    out: Errors = []
    if len(found) > _MAX_ANNOTATIONS:
        out.append(invalid(path, found, f"must not have more than {_MAX_ANNOTATIONS} auditAnnotations"))
    seen: set[str] = set()
    for index, annotation in enumerate(found):
        where, key, text = f"{path}[{index}]", r.text(annotation, "key"), r.text(annotation, "valueExpression").strip()
        whole = f"{policy}/{key}"
        out += all_invalid(f"{where}.key", whole, names.qualified_name(whole))
        if not text:
            out.append(required(f"{where}.valueExpression", "valueExpression is not specified"))
        elif len(text.encode()) > _MAX_ANNOTATION_BYTES:
            told = f"must not exceed {_MAX_ANNOTATION_BYTES} bytes in length"
            out.append(required(f"{where}.valueExpression", told))
        else:
            out += expression(f"{where}.valueExpression", text, params=params)
        if key in seen:
            out.append(duplicate(f"{where}.key", key))
        seen.add(key)
    return out


def _params(obj: Obj) -> str:
    kind = r.mapping(obj, "spec", "paramKind")
    return f"{r.text(kind, 'apiVersion')}/{r.text(kind, 'kind')}" if kind else UNSET


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column(
            "Validations",
            lambda obj: len(r.objects(r.mapping(obj, "spec"), "validations")),
            "integer",
            description="How many rules it has.",
        ),
        Column("ParamKind", _params, description="The kind of the objects that its rules are given."),
        AGE,
    ),
    default,
    validate,
    prepare=prepare,
    has_status=True,
    has_generation=True,
)
