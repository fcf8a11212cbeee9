"""Validation of what steers scheduling: affinity, tolerations and taints, topology spread, gates."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, all_invalid, duplicate, forbidden, invalid, required, unsupported
from kubelearn.api.kinds._selector import NOT_AN_OPERATOR, label_name, label_selector, label_values, operator_and_values
from kubelearn.api.resource import Obj

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
_WEIGHT_TEXT = "must be in the range 1-100"


def _node_requirement(path: str, requirement: Obj, *, check_values: bool) -> Errors:
    if r.text(requirement, "operator") in ("Gt", "Lt"):
        out: Errors = []
        if len(r.strings(requirement, "values")) != 1:
            text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            out.append(required(f"{path}.values", text))
    else:
        out = operator_and_values(path, requirement)
    out += label_name(f"{path}.key", r.text(requirement, "key"))
    return out + (label_values(path, requirement) if check_values else [])


def _node_field(path: str, requirement: Obj) -> Errors:
    out: Errors = []
    operator, values = r.text(requirement, "operator"), r.strings(requirement, "values")
    if operator not in ("In", "NotIn"):
        out.append(invalid(f"{path}.operator", operator, NOT_AN_OPERATOR))
    elif len(values) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        out.append(required(f"{path}.values", text))
    key = r.text(requirement, "key")
    if key != "metadata.name":
        return [*out, invalid(f"{path}.key", key, "not a valid field selector key")]
    for index, value in enumerate(values):
        out += all_invalid(f"{path}.values[{index}]", value, names.dns1123_subdomain(value))
    return out


def _node_term(path: str, term: Obj, *, check_values: bool) -> Errors:
    out: Errors = []
    for index, requirement in enumerate(r.objects(term, "matchExpressions")):
        out += _node_requirement(f"{path}.matchExpressions[{index}]", requirement, check_values=check_values)
    for index, requirement in enumerate(r.objects(term, "matchFields")):
        out += _node_field(f"{path}.matchFields[{index}]", requirement)
    return out


def _weight(path: str, term: Obj) -> Errors:
    weight = r.count(term, "weight")
    return [] if 1 <= weight <= 100 else [invalid(f"{path}.weight", weight, _WEIGHT_TEXT)]


def node_selector(path: str, selector: Obj) -> Errors:
    """A NodeSelector: terms of which one must match."""
    where, terms = f"{path}.nodeSelectorTerms", r.objects(selector, "nodeSelectorTerms")
    out: Errors = [] if terms else [required(where, "must have at least one node selector term")]
    for index, term in enumerate(terms):
        out += _node_term(f"{where}[{index}]", term, check_values=True)
    return out


def _node_affinity(path: str, found: Obj) -> Errors:
    out: Errors = []
    if r.has(found, _REQUIRED):
        out += node_selector(f"{path}.{_REQUIRED}", r.mapping(found, _REQUIRED))
    for index, term in enumerate(r.objects(found, _PREFERRED)):
        where = f"{path}.{_PREFERRED}[{index}]"
        out += _weight(where, term)
        out += _node_term(f"{where}.preference", r.mapping(term, "preference"), check_values=False)
    return out


def _label_keys(path: str, term: Obj) -> Errors:
    """matchLabelKeys and mismatchLabelKeys of a pod affinity term."""
    out: Errors = []
    for key in ("matchLabelKeys", "mismatchLabelKeys"):
        found = r.strings(term, key)
        if found and not r.has(term, "labelSelector"):
            out.append(forbidden(f"{path}.{key}", "must not be specified when labelSelector is not set"))
            continue
        for index, label in enumerate(found):
            out += label_name(f"{path}.{key}[{index}]", label)
    mismatch = r.strings(term, "mismatchLabelKeys")
    for index, label in enumerate(r.strings(term, "matchLabelKeys")):
        if label in mismatch:
            text = "exists in both matchLabelKeys and mismatchLabelKeys"
            out.append(invalid(f"{path}.matchLabelKeys[{index}]", label, text))
    return out


def _pod_term(path: str, term: Obj) -> Errors:
    out: Errors = []
    for key in ("labelSelector", "namespaceSelector"):
        out += label_selector(f"{path}.{key}", r.mapping(term, key))
    for namespace in r.strings(term, "namespaces"):
        out += all_invalid(f"{path}.namespace", namespace, names.dns1123_label(namespace))
    out += _label_keys(path, term)
    topology = r.text(term, "topologyKey")
    if not topology:
        out.append(required(f"{path}.topologyKey", "can not be empty"))
    return out + label_name(f"{path}.topologyKey", topology)


def _pod_affinity(path: str, found: Obj) -> Errors:
    out: Errors = []
    for index, term in enumerate(r.objects(found, _REQUIRED)):
        out += _pod_term(f"{path}.{_REQUIRED}[{index}]", term)
    for index, term in enumerate(r.objects(found, _PREFERRED)):
        where = f"{path}.{_PREFERRED}[{index}]"
        out += _weight(where, term) + _pod_term(f"{where}.podAffinityTerm", r.mapping(term, "podAffinityTerm"))
    return out


def affinity(path: str, found: Obj) -> Errors:
    out = _node_affinity(f"{path}.nodeAffinity", r.mapping(found, "nodeAffinity"))
    for key in ("podAffinity", "podAntiAffinity"):
        out += _pod_affinity(f"{path}.{key}", r.mapping(found, key))
    return out


def effect(path: str, value: str, *, may_be_empty: bool) -> Errors:
    if not value:
        return [] if may_be_empty else [required(path)]
    return [] if value in EFFECTS else [unsupported(path, value, EFFECTS)]


def tolerations(path: str, found: list[Obj]) -> Errors:
    out: Errors = []
    for index, item in enumerate(found):
        where = f"{path}[{index}]"
        key, operator, value = r.text(item, "key"), r.text(item, "operator"), r.text(item, "value")
        if key:
            out += label_name(f"{where}.key", key)
        elif operator != "Exists":
            text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            out.append(invalid(f"{where}.operator", operator, text))
        if r.has(item, "tolerationSeconds") and r.text(item, "effect") != "NoExecute":
            text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            out.append(invalid(f"{where}.effect", r.text(item, "effect"), text))
        if operator in ("Equal", ""):
            if texts := names.label_value(value):
                out.append(invalid(f"{where}.operator", value, ";".join(texts)))
        elif operator == "Exists":
            if value:
                text = "value must be empty when `operator` is 'Exists'"
                out.append(invalid(f"{where}.operator", value, text))
        else:
            out.append(unsupported(f"{where}.operator", operator, ("Equal", "Exists")))
        out += effect(f"{where}.effect", r.text(item, "effect"), may_be_empty=True)
    return out


def taints(path: str, found: list[Obj]) -> Errors:
    out: Errors = []
    seen: set[tuple[str, str]] = set()
    for index, item in enumerate(found):
        where, key, value = f"{path}[{index}]", r.text(item, "key"), r.text(item, "value")
        out += label_name(f"{where}.key", key)
        if texts := names.label_value(value):
            out.append(invalid(f"{where}.value", value, ";".join(texts)))
        out += effect(f"{where}.effect", r.text(item, "effect"), may_be_empty=False)
        pair = (key, r.text(item, "effect"))
        if pair in seen:
            error = duplicate(where, {"key": key, "value": value, "effect": pair[1]})
            text = f"{error.message}: taints must be unique by key and effect pair"
            out.append(type(error)(error.field, error.reason, text))
        seen.add(pair)
    return out


def _spread_keys(path: str, item: Obj) -> Errors:
    found = r.strings(item, "matchLabelKeys")
    if not found:
        return []
    out: Errors = []
    selector = r.mapping(item, "labelSelector")
    used = set(r.string_map(selector, "matchLabels"))
    used |= {r.text(e, "key") for e in r.objects(selector, "matchExpressions")}
    if not r.has(item, "labelSelector"):
        out.append(forbidden(path, "must not be specified when labelSelector is not set"))
    for index, key in enumerate(found):
        out += label_name(f"{path}[{index}]", key)
        if key in used:
            out.append(invalid(f"{path}[{index}]", key, "exists in both matchLabelKeys and labelSelector"))
    return out


def _spread(path: str, item: Obj, rest: list[Obj]) -> Errors:
    out: Errors = []
    skew, topology, action = r.count(item, "maxSkew"), r.text(item, "topologyKey"), r.text(item, "whenUnsatisfiable")
    if skew <= 0:
        out.append(invalid(f"{path}.maxSkew", skew, "must be greater than zero"))
    if not topology:
        out.append(required(f"{path}.topologyKey", "can not be empty"))
    if action not in ("DoNotSchedule", "ScheduleAnyway"):
        out.append(unsupported(f"{path}.whenUnsatisfiable", action, ("DoNotSchedule", "ScheduleAnyway")))
    if any((r.text(o, "topologyKey"), r.text(o, "whenUnsatisfiable")) == (topology, action) for o in rest):
        out.append(duplicate(f"{path}.{{topologyKey, whenUnsatisfiable}}", f"{{{topology}, {action}}}"))
    domains = r.number(item, "minDomains")
    if domains is not None and domains <= 0:
        out.append(invalid(f"{path}.minDomains", domains, "must be greater than zero"))
    if domains is not None and action != "DoNotSchedule":
        text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        out.append(invalid(f"{path}.minDomains", domains, text))
    for key in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if (value := r.text(item, key)) and value not in ("Honor", "Ignore"):
            out.append(unsupported(f"{path}.{key}", value, ("Honor", "Ignore")))
    out += _spread_keys(f"{path}.matchLabelKeys", item)
    return out + label_selector(f"{path}.labelSelector", r.mapping(item, "labelSelector"))


def topology_spread(path: str, found: list[Obj]) -> Errors:
    out: Errors = []
    for index, item in enumerate(found):
        out += _spread(f"{path}[{index}]", item, found[index + 1 :])
    return out


def scheduling_gates(path: str, found: list[Obj]) -> Errors:
    out: Errors = []
    seen: set[str] = set()
    for index, gate in enumerate(found):
        name = r.text(gate, "name")
        out += label_name(f"{path}[{index}]", name)
        if name in seen:
            out.append(duplicate(f"{path}[{index}]", name))
        seen.add(name)
    return out
