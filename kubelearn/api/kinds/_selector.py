"""Validation of a metav1.LabelSelector and of the requirements that node selectors share with it."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, all_invalid, forbidden, invalid, required
from kubelearn.api.resource import Obj

NOT_AN_OPERATOR = "not a valid selector operator"


def label_name(path: str, key: str) -> Errors:
    return all_invalid(path, key, names.qualified_name(key))


def operator_and_values(path: str, requirement: Obj) -> Errors:
    """The part that In, NotIn, Exists and DoesNotExist have in common everywhere."""
    operator, values = r.text(requirement, "operator"), r.strings(requirement, "values")
    if operator in ("In", "NotIn"):
        if not values:
            return [required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")]
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            return [forbidden(f"{path}.values", text)]
    else:
        return [invalid(f"{path}.operator", operator, NOT_AN_OPERATOR)]
    return []


def label_values(path: str, requirement: Obj) -> Errors:
    out: Errors = []
    for index, value in enumerate(r.strings(requirement, "values")):
        out += all_invalid(f"{path}.values[{index}]", value, names.label_value(value))
    return out


def label_selector(path: str, selector: Obj) -> Errors:
    out: Errors = list(names.label_map(r.string_map(selector, "matchLabels"), f"{path}.matchLabels"))
    for index, requirement in enumerate(r.objects(selector, "matchExpressions")):
        where = f"{path}.matchExpressions[{index}]"
        out += operator_and_values(where, requirement)
        out += label_name(f"{where}.key", r.text(requirement, "key"))
        out += label_values(where, requirement)
    return out
