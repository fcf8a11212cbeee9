"""Label and field selectors: parsing, matching, printing, with Kubernetes' error texts.

Source: apimachinery's labels and fields packages. The grammar is theirs, token by token, because learners
meet its error messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubelearn.api import names

_OPERATORS = ("in", "notin", "=", "==", "!=", "gt", "lt")
_TOKEN = re.compile(r"\s*(?:(?P<special>[=!(),<>]+)|(?P<word>[^=!(),<>\s]+))")
_SPECIALS = {")", ",", "!", "==", "=", ">", "<", "!=", "("}
_END = "end"


@dataclass(frozen=True, slots=True)
class Requirement:
    """`operator` is one of `= == != in notin exists ! gt lt`."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, Any]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "=" | "==" | "in":
                return value is not None and value in self.values
            case "!=" | "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case _:
                return value is not None and self._compare(str(value))

    def _compare(self, value: str) -> bool:
        if re.fullmatch("[+-]?[0-9]+", value) is None:
            return False
        left, right = int(value), int(self.values[0])
        return left > right if self.operator == "gt" else left < right

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
            case "gt" | "lt":
                return f"{self.key}{'>' if self.operator == 'gt' else '<'}{self.values[0]}"
            case _:
                return f"{self.key}{self.operator}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All requirements must hold; without any, everything matches, unless `nothing`."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, Any] | None) -> bool:
        found = labels or {}
        return not self.nothing and all(r.matches(found) for r in self.requirements)

    @property
    def empty(self) -> bool:
        return not self.nothing and not self.requirements

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


EVERYTHING = LabelSelector()
NOTHING = LabelSelector(nothing=True)


def _lex(text: str) -> list[tuple[str, str]]:
    """(type, literal): a special symbol is its own type, words are `word`, the last one is `end`."""
    out: list[tuple[str, str]] = []
    position = 0
    while (match := _TOKEN.match(text, position)) is not None:
        position = match.end()
        if word := match["word"]:
            out.append(("word", word))
            continue
        run = match["special"]
        while run:  # the longest known symbol first
            symbol = run[:2] if run[:2] in _SPECIALS else run[:1]
            out.append((symbol, symbol))
            run = run[len(symbol) :]
    out.append((_END, ""))
    return out


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _lex(text)
        self.position = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.position]

    def next(self) -> tuple[str, str]:
        token = self.tokens[self.position]
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def selector(self) -> LabelSelector:
        found: list[Requirement] = []
        while True:
            kind, literal = self.peek()
            if kind == _END:
                break
            if kind not in ("word", "!"):
                raise ValueError(f"found '{literal}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self.requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            kind, literal = self.next()
            if kind == _END:
                break
            if kind != ",":
                raise ValueError(f"found '{literal}', expected: ',' or 'end of string'")
            kind, literal = self.peek()
            if kind not in ("word", "!"):
                raise ValueError(f"found '{literal}', expected: identifier after ','")
        return LabelSelector(tuple(sorted(found, key=lambda r: r.key)))

    def requirement(self) -> Requirement:
        kind, key = self.next()
        negated = kind == "!"
        if negated:
            kind, key = self.next()
        if kind != "word":
            raise ValueError(f"found '{key}', expected: identifier")
        _check_key(key, "<nil>")
        if negated or self.peek()[0] in (_END, ","):
            return Requirement(key, "!" if negated else "exists")
        kind, literal = self.next()
        operator = {">": "gt", "<": "lt"}.get(literal, literal)
        if operator not in _OPERATORS or literal in ("gt", "lt"):
            raise ValueError(f"found '{literal}', expected: {', '.join(_OPERATORS)}")
        values = self.value_set() if operator in ("in", "notin") else self.exact_value()
        return new_requirement(key, operator, values)

    def exact_value(self) -> set[str]:
        if self.peek()[0] in (_END, ","):
            return {""}
        kind, literal = self.next()
        if kind != "word":
            raise ValueError(f"found '{literal}', expected: identifier")
        return {literal}

    def value_set(self) -> set[str]:
        kind, literal = self.next()
        if kind != "(":
            raise ValueError(f"found '{literal}' expected: '('")
        kind, literal = self.peek()
        if kind == ")":
            self.next()
            return {""}
        if kind not in ("word", ","):
            raise ValueError(f"found '{literal}', expected: ',', ')' or identifier")
        found = self.identifiers()
        if self.next()[0] != ")":
            raise ValueError(f"found '{literal}', expected: ')'")
        return found

    def identifiers(self) -> set[str]:
        found: set[str] = set()
        while True:
            kind, literal = self.next()
            if kind == "word":
                found.add(literal)
                kind, literal = self.peek()
                if kind == ")":
                    return found
                if kind != ",":
                    raise ValueError(f"found '{literal}', expected: ',' or ')'")
            elif kind == ",":
                if not found:
                    found.add("")
                if self.peek()[0] == ")":
                    return found | {""}
                if self.peek()[0] == ",":
                    self.next()
                    found.add("")
            else:
                raise ValueError(f"found '{literal}', expected: ',', or identifier")


def _check_key(key: str, path: str) -> None:
    if errors := names.qualified_name(key):
        raise ValueError(f"{path}: Invalid value: {names.quote(key)}: {'; '.join(errors)}")


def new_requirement(key: str, operator: str, values: set[str]) -> Requirement:
    """A checked requirement; raises ValueError with the text of labels.NewRequirement."""
    _check_key(key, "key")
    ordered = tuple(sorted(values))
    shown = "[" + ",".join(names.quote(v) for v in ordered) + "]" if ordered else "[]"
    if operator in ("in", "notin") and not ordered:
        raise ValueError(f"values: Invalid value: {shown}: for 'in', 'notin' operators, values set can't be empty")
    if operator in ("exists", "!") and ordered:
        raise ValueError(f"values: Invalid value: {shown}: values set must be empty for exists and does not exist")
    if operator in ("gt", "lt") and re.fullmatch("[+-]?[0-9]+", ordered[0]) is None:
        shown = names.quote(ordered[0])
        raise ValueError(f"values[0]: Invalid value: {shown}: for 'Gt', 'Lt' operators, the value must be an integer")
    for index, value in enumerate(ordered):
        if errors := names.label_value(value):
            raise ValueError(f"values[{index}][{key}]: Invalid value: {names.quote(value)}: {'; '.join(errors)}")
    return Requirement(key, operator, ordered)


def parse_label_selector(text: str) -> LabelSelector:
    """`a=b,c!=d,e in (f,g),h,!i,j>1`; raises ValueError."""
    return _Parser(text).selector()


_EXPRESSION_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def from_label_selector(obj: Mapping[str, Any] | None) -> LabelSelector:
    """A metav1.LabelSelector: None matches nothing, an empty one everything. Raises ValueError."""
    if obj is None:
        return NOTHING
    found = [new_requirement(key, "=", {value}) for key, value in (obj.get("matchLabels") or {}).items()]
    for expression in obj.get("matchExpressions") or ():
        operator = _EXPRESSION_OPERATORS.get(expression.get("operator", ""))
        if operator is None:
            raise ValueError(f'"{expression.get("operator", "")}" is not a valid label selector operator')
        found.append(new_requirement(expression["key"], operator, set(expression.get("values") or ())))
    return LabelSelector(tuple(sorted(found, key=lambda r: r.key)))


def from_labels(labels: Mapping[str, str] | None) -> LabelSelector:
    """An old-style selector (a Service's, a ReplicationController's): a plain map; empty matches nothing."""
    if not labels:
        return NOTHING
    return LabelSelector(tuple(Requirement(k, "=", (v,)) for k, v in sorted(labels.items())))


def format(selector: LabelSelector | Mapping[str, Any] | None) -> str:
    """As kubectl prints one (metav1.FormatLabelSelector): `<none>` when it is empty."""
    if not isinstance(selector, LabelSelector):
        try:
            selector = from_label_selector(selector)
        except ValueError:
            return "<error>"
    return str(selector) or "<none>"


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """`operator` is `=` or `!=` (`==` is read as `=`)."""

    field: str
    operator: str
    value: str

    def matches(self, fields: Mapping[str, str]) -> bool:
        return (fields.get(self.field, "") == self.value) == (self.operator == "=")

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{_escape(self.value)}"


@dataclass(frozen=True, slots=True)
class FieldSelector:
    requirements: tuple[FieldRequirement, ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        return all(r.matches(fields) for r in self.requirements)

    def exact(self, field: str) -> str | None:
        """The value that `field` must have, if the selector says so: lets a server look up instead of scan."""
        return next((r.value for r in self.requirements if r.field == field and r.operator == "="), None)

    @property
    def empty(self) -> bool:
        return not self.requirements

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


def _escape(value: str) -> str:
    return re.sub(r"([\\,=])", r"\\\1", value)


def _unescape(value: str) -> str:
    out: list[str] = []
    characters = iter(value)
    for c in characters:
        if c in ",=":
            raise ValueError(f"invalid field selector: unescaped character in value: {c}")
        if c == "\\":
            c = next(characters, "")
            if c not in ("\\", ",", "="):
                raise ValueError(f"invalid field selector: invalid escape sequence: \\{c}")
        out.append(c)
    return "".join(out)


def parse_field_selector(text: str) -> FieldSelector:
    """`metadata.name=x,status.phase!=Running`; `\\` escapes `,`, `=` and itself. Raises ValueError."""
    found: list[FieldRequirement] = []
    for term in re.findall(r"(?:\\.|[^,\\]|\\$)+", text, re.DOTALL):
        match = re.match(r"((?:\\.|[^\\=!]|!(?!=))*)(!=|==|=)(.*)", term, re.DOTALL)
        if match is None:
            raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")
        field, operator, value = match.groups()
        found.append(FieldRequirement(field, "!=" if operator == "!=" else "=", _unescape(value)))
    return FieldSelector(tuple(found))
