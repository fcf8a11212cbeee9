"""LimitRanges and ResourceQuotas."""

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


def limit_range(build: Build, **item: Any) -> Obj:
    return build("LimitRange", spec={"limits": [{"type": "Container"} | item]})


def test_container_defaults_follow_from_the_bounds(build: Build, create: Create) -> None:
    obj = limit_range(build, max={"cpu": "1000m"}, min={"memory": "1Mi"})
    assert create(obj) == []
    item = obj["spec"]["limits"][0]
    assert item["default"] == {"cpu": "1"}
    assert item["defaultRequest"] == {"cpu": "1", "memory": "1Mi"}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"type": "Odd"}, ['type: Invalid value: "Odd": must be a standard limit type or fully qualified']),
        ({"type": "Pod", "default": {"cpu": "1"}}, ["default: Forbidden: may not be specified when `type` is 'Pod'"]),
        ({"type": "PersistentVolumeClaim"},
         ["limits: Required value: either minimum or maximum storage value is required, but neither was provided"]),
        ({"type": "Pod", "min": {"cpu": "2"}, "max": {"cpu": "1"}},
         ['min[cpu]: Invalid value: "2": min value 2 is greater than max value 1']),
        ({"defaultRequest": {"cpu": "2"}, "default": {"cpu": "1"}},
         ['defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than default limit value 1']),
        ({"maxLimitRequestRatio": {"cpu": "500m"}},
         ['maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1']),
        ({"max": {"widgets": "1"}},
         [f'{key}[widgets]: Invalid value: "widgets": must be a standard resource {text}'
          for key in ("max", "default", "defaultRequest") for text in ("type or fully qualified", "for containers")]),
    ],
)  # fmt: skip
def test_invalid_limits(build: Build, create: Create, item: Obj, expected: list[str]) -> None:
    assert create(limit_range(build, **item)) == [f"spec.limits[0].{text}" for text in expected]


def test_one_item_a_type(build: Build, create: Create) -> None:
    obj = build("LimitRange", spec={"limits": [{"type": "Pod"}, {"type": "Pod"}]})
    assert create(obj) == ['spec.limits[1].type: Duplicate value: "Pod"']


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"hard": {"pods": "2", "requests.cpu": "1", "count/jobs.batch": "3"}}, []),
        ({"hard": {"pods": "-1"}}, ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0']),
        ({"hard": {"pods": "1.5"}}, ['spec.hard[pods]: Invalid value: "1500m": must be an integer']),
        ({"hard": {"cpu": "1"}, "scopes": ["BestEffort"]},
         ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource']),
        ({"hard": {"pods": "1"}, "scopes": ["Terminating", "NotTerminating"]},
         ['spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes']),
        ({"scopes": ["Odd"]}, ['spec.scopes: Invalid value: ["Odd"]: unsupported scope']),
    ],
)  # fmt: skip
def test_quota(build: Build, create: Create, spec: Obj, expected: list[str]) -> None:
    assert create(build("ResourceQuota", spec=spec)) == expected


def test_quota_scopes_are_immutable(build: Build, create: Create, update: Update) -> None:
    old = build("ResourceQuota", spec={"hard": {"pods": "1"}})
    create(old)
    new = copy.deepcopy(old)
    new["spec"]["scopes"] = ["BestEffort"]
    assert update(new, old) == ['spec.scopes: Invalid value: ["BestEffort"]: field is immutable']


def test_quota_columns(build: Build, create: Create, kinds: dict[str, Kind]) -> None:
    obj = build("ResourceQuota", spec={})
    create(obj)
    obj["status"] = {"hard": {"pods": "2", "limits.cpu": "1"}, "used": {"pods": "1"}}
    row = table.render(kinds["ResourceQuota"].columns, [obj])["rows"][0]["cells"]
    assert row[1:3] == ["pods: 1/2", "limits.cpu: 0/1"]
