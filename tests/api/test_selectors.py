"""Selectors: the grammar, what matches, and the texts of errors."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.api import selectors


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("a=b", {"a": "b"}, True), ("a==b", {"a": "c"}, False), ("a!=b", {}, True), ("a!=b", {"a": "b"}, False),
        ("a in (b, c)", {"a": "c"}, True), ("a in (b)", {}, False), ("a notin (b)", {}, True),
        ("a", {"a": ""}, True), ("a", {}, False), ("!a", {}, True), ("! a", {"a": "x"}, False),
        ("n>1", {"n": "2"}, True), ("n<1", {"n": "2"}, False), ("n>1", {"n": "x"}, False), ("", {"a": "b"}, True),
        ("a=", {"a": ""}, True), ("a=b,c!=d", {"a": "b", "c": "e"}, True), ("in in (in)", {"in": "in"}, True),
    ],
)  # fmt: skip
def test_matches(text: str, labels: dict[str, str], matches: bool) -> None:
    assert selectors.parse_label_selector(text).matches(labels) is matches


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("n>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value "
         "must be an integer"),
    ],
)  # fmt: skip
def test_label_selector_errors(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(error)}$"):
        selectors.parse_label_selector(text)


def test_bad_value_names_its_place() -> None:
    with pytest.raises(
        ValueError, match=r'^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-": a valid'
    ):
        selectors.parse_label_selector("a=-")


def test_label_selector_objects() -> None:
    found = selectors.from_label_selector(
        {"matchLabels": {"b": "1"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x"]}]}
    )
    assert selectors.format(found) == "a in (x,y),b=1"
    assert found.matches({"a": "x", "b": "1"})
    assert not selectors.from_label_selector(None).matches({})
    assert selectors.from_label_selector({}).matches({"any": "thing"})
    assert selectors.format({}) == "<none>"
    with pytest.raises(ValueError, match='"Near" is not a valid label selector operator'):
        selectors.from_label_selector({"matchExpressions": [{"key": "a", "operator": "Near"}]})


names = st.from_regex(r"[a-z]([a-z0-9.-]{0,5}[a-z0-9])?", fullmatch=True)
terms = st.one_of(
    names, names.map("!{}".format), st.tuples(names, st.sampled_from(["=", "!=", "=="]), names).map("".join),
    st.tuples(names, st.sampled_from(["in", "notin"]), names, names).map(lambda t: f"{t[0]} {t[1]} ({t[2]},{t[3]})"),
)  # fmt: skip


@given(st.lists(terms, max_size=4))
def test_label_selector_survives_its_own_text(parts: list[str]) -> None:
    once = selectors.parse_label_selector(",".join(parts))
    assert selectors.parse_label_selector(str(once)) == once


def test_field_selectors() -> None:
    found = selectors.parse_field_selector("metadata.name=a,status.phase!=Running,spec.x==1")
    assert found.matches({"metadata.name": "a", "status.phase": "Pending", "spec.x": "1"})
    assert not found.matches({"metadata.name": "a", "status.phase": "Running", "spec.x": "1"})
    assert found.exact("metadata.name") == "a"
    assert found.exact("status.phase") is None
    assert str(found) == "metadata.name=a,status.phase!=Running,spec.x=1"
    assert selectors.parse_field_selector("").empty
    with pytest.raises(ValueError, match=r"^invalid selector: 'a=b,c'; can't understand 'c'$"):
        selectors.parse_field_selector("a=b,c")


@given(st.text(alphabet="ab\\,=", max_size=8))
def test_field_values_are_escaped(value: str) -> None:
    requirement = selectors.FieldRequirement("f", "=", value)
    assert selectors.parse_field_selector(str(requirement)).requirements == (requirement,)
