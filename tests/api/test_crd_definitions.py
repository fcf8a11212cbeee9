# ruff: noqa: E501 - tables of texts
"""What a CustomResourceDefinition may not say, besides its schemas."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubelearn.api.kinds import customresourcedefinition as crd

_SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {"a": {"type": "string"}, "l": {"type": "array", "items": {"type": "string"}}},
        }
    },
}


def definition(group: str = "e.com", annotations: dict[str, str] | None = None, **version: Any) -> dict[str, Any]:
    one = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": copy.deepcopy(_SCHEMA)},
        **version,
    }
    names = {"plural": "foos", "kind": "Foo"}
    obj = {
        "metadata": {"name": f"foos.{group}", "annotations": annotations or {}},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [one]},
    }
    crd.default(obj)
    return obj


def told(obj: dict[str, Any]) -> list[str]:
    return [f"{p.field}: {p.message}" for p in crd.validate(obj)]


def test_one_that_is_right_passes() -> None:
    assert told(definition(selectableFields=[{"jsonPath": ".spec.a"}])) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([""], ["spec.selectableFields[0].jsonPath: Required value"]),
        ([".spec.no"], ['spec.selectableFields[0].jsonPath: Invalid value: ".spec.no": is an invalid path: does not refer to a valid field']),
        ([".metadata.name"], ['spec.selectableFields[0]: Invalid value: ".metadata.name": must not point to fields in metadata']),
        ([".spec.l"], ['spec.selectableFields[0]: Invalid value: ".spec.l": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.']),
        ([".spec.a", ".spec.a"], ['spec.selectableFields[1]: Duplicate value: ".spec.a"']),
    ],
)  # fmt: skip
def test_fields_to_select_by_are_scalars_of_the_schema(fields: list[str], expected: list[str]) -> None:
    assert told(definition(selectableFields=[{"jsonPath": path} for path in fields])) == expected


@pytest.mark.parametrize(
    ("annotation", "state", "message"),
    [
        ("", "missing", 'Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see '),
        ("me", "invalid", 'Invalid value: "me": protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or '),
        ("unapproved, a test", "bypassed", ""),
        ("https://e.com/pull/1", "approved", ""),
    ],
)  # fmt: skip
def test_groups_of_kubernetes_need_an_approval(annotation: str, state: str, message: str) -> None:
    obj = definition("x.k8s.io", {crd.APPROVED: annotation} if annotation else None)
    assert crd.approval(obj)[0] == state
    found = told(obj)
    assert bool(found) == bool(message)
    assert all(text.startswith(f"metadata.annotations[api-approved.kubernetes.io]: {message}") for text in found)


def test_columns_have_paths_and_none_converts_without_a_webhook() -> None:
    right, wrong = ({"name": "A", "type": "string", "jsonPath": path} for path in (".spec.a", "spec.a"))
    obj = definition(additionalPrinterColumns=[right, wrong])
    obj["spec"]["conversion"]["webhook"] = {"conversionReviewVersions": ["v1"]}
    assert told(obj) == [
        'spec.additionalPrinterColumns[1].JSONPath: Invalid value: "spec.a": must be a simple json path starting with .',
        "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
    ]
