# ruff: noqa: E501 - tables of texts
"""Structural schemas: what they take away, add and refuse, and what they may say themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.api.crd import embedded, lists, rules, structural, validation, values
from kubelearn.api.crd.structure import Structure

SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 10},
        "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
        "port": {"x-kubernetes-int-or-string": True},
        "note": {"type": "string", "nullable": True, "maxLength": 5, "pattern": "^[a-z]*$"},
        "free": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"n": {"type": "integer"}},
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "parts": {
            "type": "array",
            "maxItems": 2,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "weight": {"type": "number", "default": 1}},
            },
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
    },
    "x-kubernetes-validations": [
        {"rule": "self.size < 5 || self.colour == 'green'", "message": "big widgets must be green"},
        {"rule": "self.size >= oldSelf.size", "messageExpression": "'was ' + string(oldSelf.size)"},
    ],
}
SCHEMA: dict[str, Any] = {"type": "object", "required": ["spec"], "properties": {"spec": SPEC}}


def widget(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "e.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}


def test_what_is_not_specified_goes_and_is_named() -> None:
    obj = widget(size=1, weight=5, free={"any": {"thing": 1}}, labels={"a": "b"}, parts=[{"name": "a", "x": 1}])
    assert values.prune(obj, SCHEMA, root=True) == ["spec.parts[0].x", "spec.weight"]
    assert obj == widget(size=1, free={"any": {"thing": 1}}, labels={"a": "b"}, parts=[{"name": "a"}])


def test_defaults_fill_what_is_left_out_or_null_where_it_may_not_be() -> None:
    obj = widget(size=1, colour=None, note=None, parts=[{"name": "a"}], tags=None)
    values.fill(obj, SCHEMA)
    assert obj == widget(size=1, colour="red", note=None, parts=[{"name": "a", "weight": 1}])


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"size": 30}, "spec.size: Invalid value: 30: spec.size in body should be less than or equal to 10"),
        ({"size": 0}, "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"),
        ({"size": "big"}, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'),
        ({"size": 1, "colour": "blue"}, 'spec.colour: Unsupported value: "blue": supported values: "red", "green"'),
        ({"size": 1, "note": "toolong"}, "spec.note: Too long: may not be more than 5 bytes"),
        ({"size": 1, "note": "A"}, "spec.note: Invalid value: \"A\": spec.note in body should match '^[a-z]*$'"),
        ({"size": 1, "port": 1.5}, 'spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number"'),
        ({"size": 1, "parts": [{"name": "a"}] * 3}, "spec.parts: Too many: 3: must have at most 2 items"),
        ({"size": 1, "parts": [{}]}, "spec.parts[0].name: Required value"),
        ({}, "spec.size: Required value"),
    ],
)  # fmt: skip
def test_a_value_is_refused_as_kubernetes_words_it(spec: dict[str, Any], told: str) -> None:
    assert told in [f"{p.field}: {p.message}" for p in validation.problems(widget(**spec), SCHEMA)]


@pytest.mark.parametrize("port", [80, "http"])
def test_int_or_string_is_either(port: object) -> None:
    assert validation.problems(widget(size=1, port=port), SCHEMA) == []


def test_sets_and_map_lists_have_nothing_twice() -> None:
    obj = widget(size=1, tags=["a", "b", "a"], parts=[{"name": "x"}, {"name": "x", "weight": 2}])
    assert [(p.field, p.message) for p in lists.problems(obj, SCHEMA)] == [
        ("spec.parts[1]", 'Duplicate value: {"name":"x"}'),
        ("spec.tags[2]", 'Duplicate value: "a"'),
    ]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ({"apiVersion": "v1", "kind": "Pod"}, []),
        ({"kind": "Pod"}, ["spec.template.apiVersion: Required value: must not be empty"]),
        ({"apiVersion": "a/b/c", "kind": ""}, ['spec.template.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c', 'spec.template.kind: Invalid value: "": must not be empty']),
    ],
)  # fmt: skip
def test_an_object_inside_says_what_it_is(template: dict[str, Any], told: list[str]) -> None:
    whole = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    schema = {"properties": {"spec": {"type": "object", "properties": {"template": whole}}}}
    found = embedded.problems({"spec": {"template": template}}, schema)
    assert [f"{p.field}: {p.message}" for p in found] == told


def test_rules_are_checked_on_objects_of_the_right_shape_only() -> None:
    structure = Structure(SCHEMA)
    told = [f"{p.field}: {p.message}" for p in structure.validate(widget(size=7, colour="red"))]
    assert told == ['spec: Invalid value: "object": big widgets must be green']
    wrong = structure.validate(widget(colour="red"))
    assert [p.field for p in wrong] == ["spec.size", "<nil>"]
    assert "some validation rules were not checked" in wrong[1].message


def test_a_rule_about_the_old_object_holds_for_updates() -> None:
    structure = Structure(SCHEMA)
    old, new = widget(size=4, colour="red"), widget(size=2, colour="red")
    assert structure.validate(new) == []
    assert [p.message for p in structure.validate_update(new, old)] == ['Invalid value: "object": was 4']
    assert structure.validate_update(old, new) == []


def test_names_that_cel_cannot_spell_are_escaped() -> None:
    schema = {"type": "object", "properties": {"a-b": {"type": "integer"}, "namespace": {"type": "string"}}}
    assert rules.bound({"a-b": 1, "namespace": "x"}, schema) == {"a__dash__b": 1, "__namespace__": "x"}


def test_the_scale_subresource_reads_numbers() -> None:
    structure = Structure({"type": "object"}, {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"})
    told = [f"{p.field}: {p.message}" for p in structure.validate({"spec": {"n": "x"}, "status": {"n": -1}})]
    assert told == [
        ".spec.n: Invalid value: 0: .spec.n accessor error: x is of the type string, expected int64",
        ".status.n: Invalid value: -1: should be a non-negative integer",
    ]


@pytest.mark.parametrize(
    ("found", "told"), [(1.5, "1.5 is of the type float64"), (2.0, "2 is of the type float64"), (True, "true is of the type bool")]
)  # fmt: skip
def test_what_is_no_number_of_replicas_is_named_as_go_does(found: object, told: str) -> None:
    structure = Structure({"type": "object"}, {"specReplicasPath": ".spec.n"})
    assert f"accessor error: {told}, expected int64" in structure.validate({"spec": {"n": found}})[0].message


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({}, "s.type: Required value: must not be empty at the root"),
        ({"type": "string"}, 's.type: Invalid value: "string": must be object at the root'),
        ({"properties": {"a": {}}, "type": "object"}, "s.properties[a].type: Required value: must not be empty for specified object fields"),
        ({"properties": {"a": {"type": "array"}}, "type": "object"}, "s.properties[a].items: Required value: must be specified"),
        ({"properties": {"a": {"type": "array", "items": {}}}, "type": "object"}, "s.properties[a].items.type: Required value: must not be empty for specified array items"),
        ({"type": "object", "uniqueItems": True}, "s.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"),
        ({"type": "object", "anyOf": [{"type": "object"}]}, "s.anyOf[0].type: Forbidden: must be empty to be structural"),
        ({"type": "object", "x-kubernetes-validations": [{"rule": "self.("}]}, "s.x-kubernetes-validations[0].rule: Invalid value: \"self.(\": compilation failed: "),
        ({"type": "object", "x-kubernetes-validations": [{"rule": "true", "reason": "Bogus"}]}, 's.x-kubernetes-validations[0].reason: Unsupported value: "Bogus": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"'),
        ({"type": "object", "anyOf": [{"nullable": True}]}, "s.anyOf[0].nullable: Forbidden: must be false to be structural"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "s.additionalProperties: Forbidden: must not be used at the root"),
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}, 's.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: '),
        ({"type": "object", "properties": {"a": {"type": "object", "x-kubernetes-embedded-resource": True}}}, "s.properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"),
        ({"type": "object", "properties": {"a": {"type": "string", "x-kubernetes-embedded-resource": True}}}, 's.properties[a].type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true'),
        ({"type": "object", "properties": {"a": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}}}}, "s.properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set"),
        ({"type": "object", "properties": {"a": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"], "items": {"type": "object", "properties": {"n": {"type": "string"}}}}}}, "s.properties[a].items.properties[n].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"),
        ({"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}}, 's.properties[a].default: Invalid value: "string": s.properties[a].default in body must be of type integer: "string"'),
    ],
)  # fmt: skip
def test_a_schema_that_is_not_structural_is_refused(schema: dict[str, Any], told: str) -> None:
    assert any(f"{p.field}: {p.message}".startswith(told) for p in structural.problems(schema, "s"))


def test_a_structural_schema_passes() -> None:
    assert structural.problems(SCHEMA, "s") == []


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-20, 20) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SPEC["properties"], "name", "n"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(spec=_ANY)
def test_whatever_comes_is_decoded_defaulted_and_judged(spec: Any) -> None:
    structure = Structure(SCHEMA, {"specReplicasPath": ".spec.size"})
    obj, _ = structure.normalize({"metadata": {"name": "w"}, "spec": spec})
    structure.default(obj)
    again = {**obj}
    structure.default(again)
    assert again == obj
    assert values.prune(obj, SCHEMA, root=True) == []
    for problem in structure.validate(obj):
        assert problem.message
