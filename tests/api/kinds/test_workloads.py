"""Deployments and ReplicaSets."""

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
POD_SPEC: Obj = {"containers": [{"name": "c", "image": "n:1"}]}
TEMPLATE: Obj = {"metadata": {"labels": {"app": "a"}}, "spec": POD_SPEC}


def workload(build: Build, kind: str = "Deployment", **spec: Any) -> Obj:
    return build(kind, spec={"selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE} | spec)


def test_defaults(build: Build, create: Create) -> None:
    obj = workload(build)
    assert create(obj) == []
    spec = obj["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (1, 10, 600)
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    assert "enableServiceLinks" not in spec["template"]["spec"]


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet"])
@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"replicas": -1}, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
        (
            {"selector": None},
            [
                "spec.selector: Required value",
                'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template '
                "`labels`",
            ],
        ),
        ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
        (
            {"selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": []}]}},
            [
                "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' "
                "or 'NotIn'",
                'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"In","values":[]}]}: '
                "invalid label selector",
            ],
        ),
        (
            {
                "template": TEMPLATE
                | {"spec": {"containers": [{"name": "c", "image": "n:1"}], "restartPolicy": "Never"}}
            },
            ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
        ),
        (
            {"template": TEMPLATE | {"spec": {}}},
            ["spec.template.spec.containers: Required value"],
        ),
    ],
)
def test_validation(build: Build, create: Create, kind: str, spec: Obj, expected: list[str]) -> None:
    assert create(workload(build, kind, **spec)) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"strategy": {"type": "Recreate", "rollingUpdate": {}}},
            ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
        ),
        (
            {"strategy": {"type": "Big"}},
            [
                'spec.strategy: Unsupported value: {"Type":"Big","RollingUpdate":null}: supported values: "Recreate", '
                '"RollingUpdate"'
            ],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": "x", "maxUnavailable": "101%"}}},
            [
                'spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": a valid percent string must be a numeric '
                "string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
                'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
            ],
        ),
        (
            {"minReadySeconds": 600},
            ["spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"],
        ),
    ],
)
def test_deployment_validation(build: Build, create: Create, spec: Obj, expected: list[str]) -> None:
    assert create(workload(build, **spec)) == expected


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet"])
def test_selector_is_immutable(build: Build, create: Create, update: Update, kind: str) -> None:
    old = workload(build, kind)
    assert create(old) == []
    new = copy.deepcopy(old)
    new["spec"]["selector"]["matchLabels"] = {"app": "other"}
    assert update(new, old) == [
        'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
        'spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable',
    ]


def test_rows(build: Build, kinds: dict[str, Kind]) -> None:
    status = {"replicas": 3, "readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1}
    obj = workload(build, replicas=3) | {"status": status}
    row = table.render(kinds["Deployment"].columns, [obj])["rows"][0]["cells"]
    assert row == ["x", "2/3", 3, 1, "<unknown>", "c", "n:1", "app=a"]
    row = table.render(kinds["ReplicaSet"].columns, [obj])["rows"][0]["cells"]
    assert row == ["x", 3, 3, 2, "<unknown>", "c", "n:1", "app=a"]
