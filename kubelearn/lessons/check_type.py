"""The descriptor that each file in `checks/` exports as `CHECK`, and what a check is run with."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kubelearn.api import jsonpath, quantity
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.discovery import Mapper
from kubelearn.client.rest import Client


@dataclass(frozen=True, slots=True)
class Result:
    """`seen` and `wanted` are short texts for the learner: "2 pods", "3 pods"."""

    passed: bool
    seen: str
    wanted: str

    @property
    def message(self) -> str:
        return f"seen {self.seen}, wanted {self.wanted}"


@dataclass(slots=True)
class CheckContext:
    """`commands` are the lines run since the step began, `answers` the quiz answers by question id, `since` the
    cluster's revision when it began: what was written before does not count as an event of this step."""

    client: Client
    mapper: Mapper
    namespace: str = "default"
    commands: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    since: int = 0

    async def fetch(self, kind: str, name: str, namespace: str = "") -> Obj | None:
        """One object, None when it is not there."""
        resource = self.mapper.find(kind)
        try:
            return await self.client.get(resource, name, namespace or self.namespace if resource.namespaced else "")
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def fetch_all(self, kind: str, selector: str = "", fields: str = "", namespace: str = "") -> list[Obj]:
        resource = self.mapper.find(kind)
        scope = (namespace or self.namespace) if resource.namespaced else ""
        answer = await self.client.list(resource, scope, label_selector=selector, field_selector=fields)
        items: list[Obj] = answer["items"]
        return items


#: The ways a value is compared, as parameters of a check; one of them at most.
COMPARISONS = frozenset({"equals", "matches", "at_least", "at_most", "absent"})


@dataclass(frozen=True, slots=True)
class CheckType:
    """`required` and `optional` name the parameters, `patterns` those that are regular expressions, `numbers` those
    that are numbers from 1 on, `flags` those that can only be true; `also` says what else is wrong with them. `run`
    looks once and never waits."""

    required: frozenset[str]
    optional: frozenset[str]
    run: Callable[[CheckContext, Mapping[str, Any]], Awaitable[Result]]
    patterns: frozenset[str] = frozenset({"matches"})
    numbers: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset({"absent"})
    also: Callable[[Mapping[str, Any]], list[str]] = lambda _params: []

    def problems(self, params: Any) -> list[str]:
        """What is wrong with the parameters an author wrote."""
        if not isinstance(params, dict):
            return ["parameters must be a mapping"]
        missing = sorted(self.required - set(params))
        unknown = sorted(set(params) - self.required - self.optional)
        found = [f"missing {m}" for m in missing] + [f"unknown {u}" for u in unknown]
        for name, value in params.items():
            if name not in unknown and (problem := self._problem(name, value)):
                found.append(problem)
        compared = sorted(COMPARISONS & set(params) - set(unknown))
        if len(compared) > 1:
            found.append(f"compares in more than one way: {', '.join(compared)}")
        return found or self.also(params)

    def _problem(self, name: str, value: Any) -> str:
        if value is None or (isinstance(value, (list, dict))):
            return f"{name} must be one value"
        if name in self.patterns:
            return _pattern_problem(name, str(value))
        if name in self.numbers and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            return f"{name} must be a number of at least 1, not {value}"
        if name in self.flags and value is not True:
            return f"{name} can only be true"
        if name in ("at_least", "at_most") and _number(str(value)) is None:
            return f"{name} must be a quantity, not {value}"
        if name == "path":
            return _path_problem(str(value))
        return ""


def _pattern_problem(name: str, pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        return f"{name} is no regular expression: {error}"
    return ""


def _path_problem(path: str) -> str:
    try:
        jsonpath.find(path, {})
    except ValueError as error:
        return f"path is no JSONPath: {error}"
    return ""


def compare(value: str | None, params: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether a value (None: not there) is as wanted, and what is wanted in words. Quantities compare as
    Kubernetes compares them: 0.5 equals 500m."""
    if "absent" in params:
        return not value, "nothing"
    if "equals" in params:
        wanted = _text(params["equals"])
        return value is not None and (value == wanted or _same_quantity(value, wanted)), wanted
    if "matches" in params:
        pattern = str(params["matches"])
        return value is not None and re.search(pattern, value) is not None, f"something like {pattern}"
    number = _number(value or "")
    if "at_least" in params:
        least = _number(str(params["at_least"]))
        return number is not None and least is not None and number >= least, f"at least {params['at_least']}"
    if "at_most" in params:
        most = _number(str(params["at_most"]))
        return number is not None and most is not None and number <= most, f"at most {params['at_most']}"
    return bool(value), "something"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)


def _number(text: str) -> Decimal | None:
    try:
        return quantity.parse(text)
    except ValueError:
        return None


def _same_quantity(a: str, b: str) -> bool:
    number = _number(a)
    return number is not None and number == _number(b)


def read_path(obj: Obj, path: str) -> str | None:
    """The value at a JSONPath as text, several joined by spaces; None when there is none: no field, or an empty
    list or mapping, which the API does not tell from none."""
    try:
        found = [v for v in jsonpath.find(path, obj) if v is not None and v != [] and v != {}]
    except jsonpath.JsonPathError:
        return None  # an index beyond the list's end: nothing is there yet
    return " ".join(_text(v) for v in found) if found else None
