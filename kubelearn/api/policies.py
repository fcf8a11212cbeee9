"""What the rules of a ValidatingAdmissionPolicy say of a request. Which requests they are about is `policy_matching`.

Source: Kubernetes' apiserver/pkg/admission/plugin/policy/validating, and its documentation of the variables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from kubelearn.api import cel
from kubelearn.api.resource import Obj

_VARIABLE = re.compile(r"\bvariables\s*\.\s*([_a-zA-Z][_a-zA-Z0-9]*)")
_MAX_MESSAGE_BYTES = 5 * 1024
_TYPES = {bool: "bool", int: "int", float: "double", list: "list", dict: "map", bytes: "bytes"}
DEFAULT_REASON = "Invalid"


@dataclass(frozen=True, slots=True)
class Objection:
    """What a rule has against a request: `reason` is a Status' reason. It refuses the request
    `always`, or as the binding says."""

    message: str
    reason: str = DEFAULT_REASON
    always: bool = False


class _Rules:
    """The expressions of one policy, with values for one request. A variable has its value when it is first used."""

    def __init__(self, spec: Obj, scope: cel.Scope) -> None:
        self._scope = scope
        self._expressions = {v["name"]: v["expression"] for v in spec.get("variables") or ()}
        self._known: dict[str, Any] = {}
        self._failed: dict[str, str] = {}
        scope.set("variables", {})

    def value(self, text: str) -> Any:
        """Raises CelError, worded as Kubernetes does."""
        try:
            return self._evaluate(text, list(self._expressions))
        except cel.CelError as error:
            raise cel.CelError(f"expression '{text.strip()}' resulted in error: {error}") from error

    def _evaluate(self, text: str, allowed: list[str]) -> Any:
        used = [name for name in dict.fromkeys(_VARIABLE.findall(text)) if name in allowed]
        for name in used:
            self._fill(name, allowed)
        try:
            return cel.compiled(text).evaluate(self._scope)
        except cel.CelError as error:
            # A variable that has no value is missing; it counts only where its value was needed after all.
            failed = next((name for name in used if str(error) == f"no such key: {name}"), "")
            if failed in self._failed:
                raise cel.CelError(self._failed[failed]) from error
            raise

    def _fill(self, name: str, allowed: list[str]) -> None:
        """A variable may use those that are listed before it."""
        if name in self._known or name in self._failed:
            return
        try:
            self._known[name] = self._evaluate(self._expressions[name], allowed[: allowed.index(name)])
            self._scope.set("variables", self._known)
        except cel.CelError as error:
            self._failed[name] = f'composited variable "{name}" fails to evaluate: {error}'


def objections(spec: Obj, scope: cel.Scope, params: Obj | None) -> list[Objection]:
    """Of a policy. `scope` has object, oldObject, request and namespaceObject, for as many policies as you like. An
    expression that has no value is an objection too, unless the policy ignores failures."""
    scope.set("params", params)
    rules = _Rules(spec, scope)
    fails = spec.get("failurePolicy") != "Ignore"
    try:
        if not _applies(spec, rules):
            return []
    except cel.CelError as error:
        return [Objection(str(error))] if fails else []
    out = []
    for validation in spec.get("validations") or ():
        try:
            if rules.value(validation["expression"]) is not True:
                out.append(Objection(_message(validation, rules), validation.get("reason") or DEFAULT_REASON))
        except cel.CelError as error:
            if fails:
                out.append(Objection(str(error)))
    return out + [
        o for annotation in spec.get("auditAnnotations") or () for o in _unannotated(annotation, rules, fails)
    ]


def _unannotated(annotation: Obj, rules: _Rules, fails: bool) -> list[Objection]:
    """An annotation is written nowhere, as there is no audit log; one that cannot be written refuses the request."""
    text = annotation["valueExpression"]
    try:
        value = rules.value(text)
    except cel.CelError as error:
        return [Objection(str(error), always=True)] if fails else []
    if value is None or isinstance(value, str):
        return []
    kind = _TYPES.get(type(value), type(value).__name__)
    why = f"valueExpression '{text}' resulted in unsupported return type: {kind}. "
    return [Objection(why + "Return type must be either string or null.", always=True)]


def _applies(spec: Obj, rules: _Rules) -> bool:
    """Whether all conditions hold: one that does not outweighs those that fail. Raises CelError."""
    failed: list[str] = []
    for condition in spec.get("matchConditions") or ():
        try:
            if rules.value(condition["expression"]) is not True:
                return False
        except cel.CelError as error:
            failed.append(str(error))
    if failed:
        raise cel.CelError(failed[0] if len(failed) == 1 else f"[{', '.join(failed)}]")
    return True


def _message(validation: Obj, rules: _Rules) -> str:
    told: Any = ""
    if validation.get("messageExpression"):
        try:
            told = rules.value(validation["messageExpression"])
        except cel.CelError:
            told = ""  # Then the plain message is given, as if there were no expression.
    text = told.strip() if isinstance(told, str) else ""
    if text and "\n" not in text and len(text.encode()) <= _MAX_MESSAGE_BYTES:
        return text
    return str(validation.get("message") or "").strip() or f"failed expression: {validation['expression'].strip()}"
