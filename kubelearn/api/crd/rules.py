"""`x-kubernetes-validations`: rules in CEL on any part of a custom resource.

Source: Kubernetes' documentation of CustomResourceDefinition validation rules (KEP-2876), and the texts of
apiextensions-apiserver's pkg/apiserver/schema/cel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubelearn.api import cel
from kubelearn.api.crd.values import children
from kubelearn.api.kind import FieldError
from kubelearn.api.kinds._errors import duplicate, forbidden, invalid, required
from kubelearn.api.resource import Obj

RULES = "x-kubernetes-validations"
_BLOCKING = frozenset({"FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"})
_NOT_CHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)
#: Words of CEL that a field may be called; a rule then writes `__word__`.
_RESERVED = frozenset(
    {
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
        "let", "loop", "package", "namespace", "return", "var", "void", "while",
    }
)  # fmt: skip
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_NONE = object()


def any_in(schema: Any) -> bool:
    """Whether there is a rule anywhere in a schema."""
    if isinstance(schema, dict):
        return bool(schema.get(RULES)) or any(any_in(value) for value in schema.values())
    return isinstance(schema, list) and any(map(any_in, schema))


def blocked(found: list[FieldError]) -> list[FieldError]:
    """What is said instead of checking rules on an object that is not of the right shape."""
    if any(problem.reason in _BLOCKING for problem in found):
        return [FieldError("<nil>", "FieldValueInvalid", f"Invalid value: null: {_NOT_CHECKED}")]
    return []


def problems(value: Any, schema: Obj, old: Any = _NONE, path: str = "") -> list[FieldError]:
    """What the rules say of an object; those about `oldSelf` ask for an old one."""
    return list(_problems(value, schema, old, path))


def _problems(value: Any, schema: Obj, old: Any, path: str) -> Iterator[FieldError]:
    if value is None:
        return
    for rule in schema.get(RULES) or ():
        yield from _check(rule, value, schema, old, path)
    before = {where: was for was, _, where in children(old, schema, path)} if old is not _NONE else {}
    if schema.get("x-kubernetes-list-type") == "map":
        before = _by_keys(value, schema, old, path)
    elif isinstance(value, list):
        before = {}  # Elements of other lists cannot be told apart.
    for inner, known, where in children(value, schema, path):
        yield from _problems(inner, known, before.get(where, _NONE), where)


def _by_keys(value: Any, schema: Obj, old: Any, path: str) -> dict[str, Any]:
    """Old elements of a map list by the path of the new ones with their keys."""
    keys = schema.get("x-kubernetes-list-map-keys") or ()

    def told(item: Any) -> tuple[Any, ...]:
        return tuple(item.get(key) for key in keys) if isinstance(item, dict) else ()

    was = {told(item): item for item in old} if isinstance(old, list) else {}
    found = value if isinstance(value, list) else []
    return {f"{path}[{i}]": was[told(item)] for i, item in enumerate(found) if told(item) in was}


def _check(rule: Obj, value: Any, schema: Obj, old: Any, path: str) -> Iterator[FieldError]:
    variables = {"self": bound(value, schema)}
    if re.search(r"\boldSelf\b", rule["rule"]):
        if old is _NONE or old is None:
            return
        variables["oldSelf"] = bound(old, schema)
    where = path + rule.get("fieldPath", "") if path else rule.get("fieldPath", "").removeprefix(".")
    kind = schema.get("type", "")
    try:
        if cel.compiled(rule["rule"]).evaluate(variables) is not True:
            yield _error(rule, where or "<nil>", kind, _message(rule, variables))
    except cel.CelError as error:
        yield invalid(where or "<nil>", kind, f"{error} evaluating rule: {_message(rule, variables)}")


def _message(rule: Obj, variables: Obj) -> str:
    if rule.get("messageExpression"):
        try:
            told = cel.compiled(rule["messageExpression"]).evaluate(variables)
        except cel.CelError:
            told = ""
        if isinstance(told, str) and told.strip() and "\n" not in told:
            return told.strip()
    return str(rule.get("message", "")).strip() or f"failed rule: {str(rule['rule']).strip()}"


def _error(rule: Obj, where: str, kind: str, message: str) -> FieldError:
    match rule.get("reason"):
        case "FieldValueForbidden":
            return forbidden(where, message)
        case "FieldValueRequired":
            return required(where, message)
        case "FieldValueDuplicate":
            return duplicate(where, kind)
        case _:
            return invalid(where, kind, message)


def bound(value: Any, schema: Obj) -> Any:
    """A value as rules see it: fields whose names CEL cannot spell have another."""
    if isinstance(value, list):
        items = schema.get("items")
        return [bound(item, items) for item in value] if isinstance(items, dict) else value
    if not isinstance(value, dict):
        return float(value) if schema.get("type") == "number" and isinstance(value, int) else value
    properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
    out = {}
    for key, item in value.items():
        if key in properties:
            out[_escaped(key)] = bound(item, properties[key])
        else:
            out[key] = bound(item, others) if isinstance(others, dict) else item
    return out


def _escaped(name: str) -> str:
    if name in _RESERVED:
        return f"__{name}__"
    for text, instead in _ESCAPES:
        name = name.replace(text, instead)
    return name
