"""Jobs."""

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


def job(build: Build, **spec: Any) -> Obj:
    pod: Obj = {"containers": [{"name": "c", "image": "n:1"}], "restartPolicy": "Never"}
    obj = build("Job", spec={"template": {"spec": pod}} | spec)
    obj["metadata"]["uid"] = "u1"
    return obj


def pod_of(obj: Obj) -> Obj:
    found: Obj = obj["spec"]["template"]["spec"]
    return found


def test_defaults_and_the_selector_that_is_made(build: Build, create: Create) -> None:
    obj = job(build)
    assert create(obj) == []
    spec = obj["spec"]
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (1, 1, 6)
    assert (spec["completionMode"], spec["suspend"], spec["manualSelector"]) == ("NonIndexed", False, False)
    assert spec["podReplacementPolicy"] == "TerminatingOrFailed"
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}}
    labels = {
        "batch.kubernetes.io/controller-uid": "u1", "batch.kubernetes.io/job-name": "x",
        "controller-uid": "u1", "job-name": "x",
    }  # fmt: skip
    assert spec["template"]["metadata"]["labels"] == labels
    assert obj["metadata"]["labels"] == labels
    assert obj["status"] == {}


def test_only_parallelism_leaves_completions_open(build: Build, create: Create) -> None:
    obj = job(build, parallelism=3)
    assert create(obj) == []
    assert "completions" not in obj["spec"]


@pytest.mark.parametrize(
    ("spec", "pod", "expected"),
    [
        ({}, {"restartPolicy": "Always"},
         ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
        ({"parallelism": -1}, {}, ["spec.parallelism: Invalid value: -1: must be greater than or equal to 0"]),
        ({"completionMode": "Indexed", "parallelism": 1}, {},
         ["spec.completions: Required value: when completion mode is Indexed"]),
        ({"completionMode": "Odd"}, {},
         ['spec.completionMode: Unsupported value: "Odd": supported values: "Indexed", "NonIndexed"']),
        ({"backoffLimitPerIndex": 1}, {},
         ["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"]),
        ({"selector": {"matchLabels": {"a": "b"}}}, {},
         ['spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"u1"}}: '
          "`selector` not auto-generated",
          'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"u1",'
          '"batch.kubernetes.io/job-name":"x","controller-uid":"u1","job-name":"x"}: `selector` does not match '
          "template `labels`"]),
        ({"podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [0]}}]}}, {},
         ["spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator"]),
        ({"successPolicy": {"rules": []}}, {},
         ['spec.successPolicy: Invalid value: {"rules":[]}: requires indexed completion mode']),
    ],
)  # fmt: skip
def test_invalid(build: Build, create: Create, spec: Obj, pod: Obj, expected: list[str]) -> None:
    obj = job(build, **spec)
    pod_of(obj).update(pod)
    assert create(obj) == expected


def test_a_manual_selector_is_the_users(build: Build, create: Create) -> None:
    obj = job(build, manualSelector=True)
    assert create(obj) == ["spec.selector: Required value"]


def test_the_template_may_change_only_while_suspended(build: Build, create: Create, update: Update) -> None:
    running = job(build)
    create(running)
    new = copy.deepcopy(running)
    pod_of(new)["nodeSelector"] = {"a": "b"}
    assert [e.partition(": ")[0] for e in update(new, running)] == ["spec.template"]
    waiting = copy.deepcopy(running)
    waiting["spec"]["suspend"] = True
    assert update(copy.deepcopy(new), waiting) == []
    pod_of(new)["containers"][0]["image"] = "other"
    assert [e.partition(": ")[0] for e in update(new, waiting)] == ["spec.template"]


def test_completions_change_only_with_parallelism(build: Build, create: Create, update: Update) -> None:
    plain = job(build)
    create(plain)
    new = copy.deepcopy(plain)
    new["spec"]["completions"] = 2
    assert update(new, plain) == ["spec.completions: Invalid value: 2: field is immutable"]
    indexed = job(build, completionMode="Indexed", completions=2, parallelism=2)
    create(indexed)
    grown = copy.deepcopy(indexed)
    grown["spec"].update(completions=3, parallelism=3)
    assert update(grown, indexed) == []
    grown["spec"]["parallelism"] = 2
    assert update(grown, indexed) == [
        "spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism"
    ]


@pytest.mark.parametrize(
    ("spec", "status", "cells"),
    [
        ({}, {}, ["Running", "0/1", ""]),
        ({"parallelism": 3}, {"succeeded": 1}, ["Running", "1/1 of 3", ""]),
        ({}, {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}],
              "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:07Z"}, ["Complete", "1/1", "7s"]),
        ({}, {"conditions": [{"type": "Suspended", "status": "True"}]}, ["Suspended", "0/1", ""]),
    ],
)  # fmt: skip
def test_columns(
    build: Build, create: Create, kinds: dict[str, Kind], spec: Obj, status: Obj, cells: list[str]
) -> None:
    obj = job(build, **spec)
    create(obj)
    obj["status"] = status
    row = table.render(kinds["Job"].columns, [obj])["rows"][0]["cells"]
    assert row[1:4] == cells
