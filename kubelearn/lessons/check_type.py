"""The descriptor that each file in `checks/` exports as `CHECK`, and what a check is run with."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class CheckContext:
    """`commands` are the lines run since the step began, `answers` the quiz answers by question id."""

    client: Client
    mapper: Mapper
    namespace: str = "default"
    commands: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class CheckType:
    """`required` and `optional` name the parameters; `run` looks once and never waits."""

    required: frozenset[str]
    optional: frozenset[str]
    run: Callable[[CheckContext, Mapping[str, Any]], Awaitable[Result]]

    def problems(self, params: Any) -> list[str]:
        """What is wrong with the parameters an author wrote."""
        if not isinstance(params, dict):
            return ["parameters must be a mapping"]
        missing = sorted(self.required - set(params))
        unknown = sorted(set(params) - self.required - self.optional)
        return [f"missing {m}" for m in missing] + [f"unknown {u}" for u in unknown]


#: The ways a value is compared, as parameters of a check.
COMPARISONS = frozenset({"equals", "matches", "at_least", "at_most", "absent"})


def compare(value: str | None, params: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether a value (None: not there) is as wanted, and what is wanted in words. Quantities compare as
    Kubernetes compares them: 0.5 equals 500m."""
    if params.get("absent"):
        return value is None or value == "", "nothing"
    if "equals" in params:
        wanted = _text(params["equals"])
        return value is not None and (value == wanted or _same_quantity(value, wanted)), wanted
    if "matches" in params:
        pattern = str(params["matches"])
        return value is not None and re.search(pattern, value) is not None, f"something like {pattern}"
    if "at_least" in params:
        return value not in (None, "") and quantity.compare(value or "0", str(params["at_least"])) >= 0, (
            f"at least {params['at_least']}"
        )
    if "at_most" in params:
        return value not in (None, "") and quantity.compare(value or "0", str(params["at_most"])) <= 0, (
            f"at most {params['at_most']}"
        )
    return value not in (None, ""), "something"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _same_quantity(a: str, b: str) -> bool:
    try:
        return quantity.compare(a, b) == 0
    except ValueError:
        return False


def read_path(obj: Obj, path: str) -> str | None:
    """The value at a JSONPath as text, several joined by spaces; None when there is none."""
    found = jsonpath.find(path, obj)
    return " ".join(_text(v) for v in found) if found else None
