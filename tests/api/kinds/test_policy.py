"""PodDisruptionBudgets and PriorityClasses."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from kubelearn.api import table
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj

Build = Callable[..., Obj]
Create = Callable[[Obj], list[str]]
Update = Callable[[Obj, Obj], list[str]]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}, []),
        ({"minAvailable": 1, "maxUnavailable": 1},
         ['spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}'
          ": minAvailable and maxUnavailable cannot be both set"]),
        ({"maxUnavailable": "101%"},
         ['spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%']),
        ({"minAvailable": -1}, ["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"]),
        ({"unhealthyPodEvictionPolicy": "Odd"},
         ['spec.unhealthyPodEvictionPolicy: Unsupported value: "Odd": supported values: "AlwaysAllow", '
          '"IfHealthyBudget"']),
    ],
)  # fmt: skip
def test_budget(build: Build, create: Create, spec: Obj, expected: list[str]) -> None:
    assert create(build("PodDisruptionBudget", spec=spec)) == expected


def test_budget_columns(build: Build, create: Create, kinds: dict[str, Kind]) -> None:
    obj = build("PodDisruptionBudget", spec={"minAvailable": "50%"})
    create(obj)
    row = table.render(kinds["PodDisruptionBudget"].columns, [obj])["rows"][0]["cells"]
    assert row[1:4] == ["50%", "N/A", 0]


def priority(build: Build, name: str, **content: Any) -> Obj:
    obj = build("PriorityClass", **content)
    obj["metadata"]["name"] = name
    return obj


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x", {"value": 7}, []),
        ("system-node-critical", {"value": 2000001000}, []),
        ("x", {"value": 1000000001},
         ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]),
        ("system-x", {"value": 1},
         ["metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
          "error: system-x is not a known system priority class"]),
        ("system-node-critical", {"value": 1},
         ["metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
          "error: value of system-node-critical PriorityClass must be 2000001000"]),
        ("x", {"preemptionPolicy": "Odd"},
         ['preemptionPolicy: Unsupported value: "Odd": supported values: "Never", "PreemptLowerPriority"']),
    ],
)  # fmt: skip
def test_priority(build: Build, create: Create, name: str, content: Obj, expected: list[str]) -> None:
    assert create(priority(build, name, **content)) == expected


def test_a_value_stays(build: Build, create: Create, update: Update) -> None:
    old = priority(build, "x", value=1)
    create(old)
    assert old["preemptionPolicy"] == "PreemptLowerPriority"
    new = copy.deepcopy(old) | {"value": 2}
    assert update(new, old) == ["value: Forbidden: may not be changed in an update."]
