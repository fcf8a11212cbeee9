"""ValidatingAdmissionPolicyBinding (admissionregistration.k8s.io/v1): where a policy holds, and what comes of it."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._admission import GROUP, default_match, match_resources
from kubelearn.api.kinds._columns import AGE, NAME, UNSET, text_at
from kubelearn.api.kinds._errors import (
    Errors,
    all_invalid,
    choice,
    duplicate,
    forbidden,
    invalid,
    required,
    subdomain,
    unsupported,
)
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(
    GROUP, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings",
    "validatingadmissionpolicybinding", False, categories=("api-extensions",),
)  # fmt: skip
_ACTIONS = ("Audit", "Deny", "Warn")
_EXCLUSIVE = "name and selector are mutually exclusive"
_TWICE = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and "
    "headers serves no purpose)"
)


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    if r.has(spec, "matchResources"):
        default_match(r.mapping(spec, "matchResources"))


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    policy = r.text(spec, "policyName")
    out = subdomain("spec.policyName", policy) if policy else [required("spec.policyName")]
    if r.has(spec, "paramRef"):
        out += _param_ref("spec.paramRef", r.mapping(spec, "paramRef"))
    if r.has(spec, "matchResources"):
        # The path is misspelt in Kubernetes too.
        out += match_resources("spec.matchResouces", r.mapping(spec, "matchResources"))
    return out + _actions("spec.validationActions", r.strings(spec, "validationActions"))


def _param_ref(path: str, ref: Obj) -> Errors:
    name, chosen = r.text(ref, "name"), r.has(ref, "selector")
    out = all_invalid(f"{path}.name", name, names.path_segment(name)) if name else []
    if name and chosen:
        out.append(forbidden(f"{path}.name", _EXCLUSIVE))
    if chosen:
        out += label_selector(f"{path}.selector", r.mapping(ref, "selector"))
    if name and chosen:
        out.append(forbidden(f"{path}.selector", _EXCLUSIVE))
    if not name and not chosen:
        out.append(required(path, "one of name or selector must be specified"))
    return out + choice(f"{path}.parameterNotFoundAction", r.text(ref, "parameterNotFoundAction"), ("Deny", "Allow"))


def _actions(path: str, found: list[str]) -> Errors:
    out: Errors = []
    for index, action in enumerate(found):
        if action not in _ACTIONS:
            out.append(unsupported(f"{path}[{index}]", action, _ACTIONS))
        if action in found[:index]:
            out.append(duplicate(f"{path}[{index}]", action))
    if "Deny" in found and "Warn" in found:
        out.append(invalid(path, found, _TWICE))
    return out if found else [required(path, "at least one validation action is required")]


def _params(obj: Obj) -> str:
    ref = r.mapping(obj, "spec", "paramRef")
    if name := r.text(ref, "name"):
        space = r.text(ref, "namespace")
        return f"{space}/{name}" if space else name
    return _spelt(r.mapping(ref, "selector")) if r.has(ref, "selector") else UNSET


def _spelt(selector: Obj) -> str:
    """A selector as Go spells the struct."""
    labels = "".join(f"{k}: {v}," for k, v in sorted(r.string_map(selector, "matchLabels").items()))
    listed = "".join(
        "LabelSelectorRequirement{"
        f"Key:{r.text(e, 'key')},Operator:{r.text(e, 'operator')},Values:[{' '.join(r.strings(e, 'values'))}],"
        "},"
        for e in r.objects(selector, "matchExpressions")
    )
    return f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{listed}}},}}"


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("PolicyName", text_at("spec", "policyName"), description="The policy that is bound."),
        Column("ParamRef", _params, description="The objects that the policy's rules are given."),
        AGE,
    ),
    default,
    validate,
    has_generation=True,
)
