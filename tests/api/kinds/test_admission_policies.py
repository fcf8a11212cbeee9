"""ValidatingAdmissionPolicy and its binding: what is filled in, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubelearn.api import table
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj

Build = Callable[..., Obj]
Create = Callable[[Obj], list[str]]
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
_RULE = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
_CONSTRAINTS = {"resourceRules": [_RULE]}


def policy(build: Build, **spec: Any) -> Obj:
    rules = [{"expression": "object.spec.replicas <= 5"}]
    return build(POLICY, spec={"matchConstraints": _CONSTRAINTS, "validations": rules, **spec})


def binding(build: Build, **spec: Any) -> Obj:
    return build(BINDING, spec={"policyName": "p", "validationActions": ["Deny"], **spec})


def test_defaults(build: Build, create: Create) -> None:
    obj = policy(build)
    assert create(obj) == []
    match = obj["spec"]["matchConstraints"]
    assert obj["spec"]["failurePolicy"] == "Fail"
    assert (match["matchPolicy"], match["namespaceSelector"], match["objectSelector"]) == ("Equivalent", {}, {})
    assert match["resourceRules"][0]["scope"] == "*"
    bound = binding(build, matchResources={"resourceRules": [_RULE]})
    assert create(bound) == []
    assert bound["spec"]["matchResources"]["matchPolicy"] == "Equivalent"


def test_empty(build: Build, create: Create) -> None:
    text = "Required value: validations or auditAnnotations must contain at least one item"
    assert create(build(POLICY)) == [
        "spec.matchConstraints: Required value",
        f"spec.validations: {text}",
        f"spec.auditAnnotations: {text}",
    ]
    assert create(build(BINDING)) == [
        "spec.policyName: Required value",
        "spec.validationActions: Required value: at least one validation action is required",
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"failurePolicy": "Odd"}, 'spec.failurePolicy: Unsupported value: "Odd": supported values: "Fail", "Ignore"'),
        ({"matchConstraints": {}}, "spec.matchConstraints.resourceRules: Required value"),
        ({"paramKind": {"apiVersion": "a/b/c", "kind": "K"}},
         'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'),
        ({"paramKind": {"apiVersion": "a.io/", "kind": "K"}},
         'spec.paramKind.apiVersion: Invalid value: "a.io/": version must be specified'),
        ({"paramKind": {"apiVersion": "v1"}}, "spec.paramKind.kind: Required value"),
        ({"validations": [{"expression": " "}]},
         "spec.validations[0].expression: Required value: expression is not specified"),
        ({"validations": [{"expression": "true", "message": "a\nb"}]},
         'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks'),
        ({"validations": [{"expression": "true", "message": " "}]},
         'spec.validations[0].message: Invalid value: " ": message must be non-empty if specified'),
        ({"validations": [{"expression": "true", "messageExpression": " "}]},
         'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified'),
        ({"validations": [{"expression": "true", "reason": "Odd"}]},
         'spec.validations[0].reason: Unsupported value: "Odd": supported values: "Forbidden", "Invalid", '
         '"RequestEntityTooLarge", "Unauthorized"'),
        ({"validations": [{"expression": "foo.bar"}]},
         'spec.validations[0].expression: Invalid value: "foo.bar": compilation failed: '
         "undeclared reference to 'foo' (in container '')"),
        ({"validations": [{"expression": "params.a"}]},
         'spec.validations[0].expression: Invalid value: "params.a": compilation failed: '
         "undeclared reference to 'params' (in container '')"),
        ({"variables": [{"name": "a-b", "expression": "1"}]},
         'spec.variables[0].name: Invalid value: "a-b": name is not a valid CEL identifier'),
        ({"variables": [{"name": "a", "expression": ""}]},
         "spec.variables[0].expression: Required value: expression is not specified"),
        ({"matchConditions": [{"name": "a", "expression": "true"}, {"name": "a", "expression": "true"}]},
         'spec.matchConditions[1].name: Duplicate value: "a"'),
        ({"matchConditions": [{"name": "a", "expression": ""}]}, "spec.matchConditions[0].expression: Required value"),
        ({"matchConditions": [{"name": "a", "expression": "variables.a"}]},
         'spec.matchConditions[0].expression: Invalid value: "variables.a": compilation failed: '
         "undeclared reference to 'variables' (in container '')"),
        ({"auditAnnotations": [{"key": "k", "valueExpression": ""}]},
         "spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified"),
    ],
)  # fmt: skip
def test_invalid_policy(build: Build, create: Create, spec: Obj, expected: str) -> None:
    assert create(policy(build, **spec)) == [expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"operations": []}, "operations: Required value"),
        ({"operations": ["*", "CREATE"]},
         'operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations'),
        ({"operations": ["create"]},
         'operations[0]: Unsupported value: "create": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"'),
        ({"apiGroups": []}, "apiGroups: Required value"),
        ({"apiVersions": ["*", "v1"]},
         'apiVersions: Invalid value: ["*","v1"]: if \'*\' is present, must not specify other API versions'),
        ({"apiVersions": [""]}, "apiVersions[0]: Required value"),
        ({"resources": []}, "resources: Required value"),
        ({"resources": ["*", "pods"]},
         'resources: Invalid value: ["*","pods"]: '
         "if '*' is present, must not specify other resources without subresources"),
        ({"resources": ["pods/*", "pods/status"]},
         'resources[1]: Invalid value: "pods/status": if \'pods/*\' is present, must not specify pods/status'),
        ({"scope": "Odd"}, 'scope: Unsupported value: "Odd": supported values: "*", "Cluster", "Namespaced"'),
        ({"resourceNames": ["a", "a"]}, 'resourceNames[1]: Duplicate value: "a"'),
        ({"resourceNames": ["a/b"]}, 'resourceNames[0]: Invalid value: "a/b": may not contain \'/\''),
    ],
)  # fmt: skip
def test_invalid_rule(build: Build, create: Create, change: Obj, expected: str) -> None:
    obj = policy(build, matchConstraints={"resourceRules": [_RULE | change]})
    assert create(obj) == [f"spec.matchConstraints.resourceRules[0].{expected}"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"policyName": "A"}, None),
        ({"validationActions": ["Odd"]},
         'spec.validationActions[0]: Unsupported value: "Odd": supported values: "Audit", "Deny", "Warn"'),
        ({"validationActions": ["Deny", "Deny"]}, 'spec.validationActions[1]: Duplicate value: "Deny"'),
        ({"validationActions": ["Deny", "Warn"]},
         'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the '
         "same validation failure information in the API response and headers serves no purpose)"),
        ({"paramRef": {"parameterNotFoundAction": "Deny"}},
         "spec.paramRef: Required value: one of name or selector must be specified"),
        ({"paramRef": {"name": "a"}}, "spec.paramRef.parameterNotFoundAction: Required value"),
        ({"matchResources": {"matchPolicy": "Odd"}},
         'spec.matchResouces.matchPolicy: Unsupported value: "Odd": supported values: "Equivalent", "Exact"'),
    ],
)  # fmt: skip
def test_invalid_binding(build: Build, create: Create, spec: Obj, expected: str | None) -> None:
    found = create(binding(build, **spec))
    assert len(found) == 1
    assert found[0] == expected or (expected is None and found[0].startswith('spec.policyName: Invalid value: "A"'))


def test_names_of_macros_and_types_are_declared(build: Build, create: Create) -> None:
    text = "object.spec.containers.all(c, type(c.image) == string && c.ports.exists(p, p.port == int('1')))"
    assert create(policy(build, validations=[{"expression": text}])) == []


def test_columns(build: Build, kinds: dict[str, Kind]) -> None:
    def cells(obj: Obj) -> list[Any]:
        columns = kinds[obj["kind"]].columns
        found: list[Any] = table.render(columns, [obj])["rows"][0]["cells"]
        return found[1:-1]

    assert [c.name for c in kinds[POLICY].columns] == ["Name", "Validations", "ParamKind", "Age"]
    assert [c.name for c in kinds[BINDING].columns] == ["Name", "PolicyName", "ParamRef", "Age"]
    assert cells(policy(build)) == [1, "<unset>"]
    assert cells(policy(build, paramKind={"apiVersion": "v1", "kind": "ConfigMap"})) == [1, "v1/ConfigMap"]
    assert cells(binding(build)) == ["p", "<unset>"]
    assert cells(binding(build, paramRef={"name": "a"})) == ["p", "a"]
    assert cells(binding(build, paramRef={"name": "a", "namespace": "n"})) == ["p", "n/a"]
    chosen = {"selector": {"matchLabels": {"a": "b"}}}
    spelt = "&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}"
    assert cells(binding(build, paramRef=chosen)) == ["p", spelt]
