"""Sets of fields: algebra on FieldsV1, against plain Python sets of paths."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.api import fieldset
from kubelearn.api.fieldset import FieldSet, FieldSetError, Path

ELEMENTS = ("f:a", "f:b", 'k:{"name":"x"}', 'v:"y"')
PATHS = st.lists(st.sampled_from(ELEMENTS), min_size=1, max_size=3).map(tuple)
SETS = st.frozensets(PATHS, max_size=6)


def build(paths: frozenset[Path]) -> FieldSet:
    out: FieldSet = {}
    for path in paths:
        out = fieldset.union(out, fieldset.of_path(path))
    return out


@given(SETS)
def test_members_are_what_was_put_in(paths: frozenset[Path]) -> None:
    built = build(paths)
    assert frozenset(fieldset.paths(built)) == paths
    assert all(fieldset.has(built, path) for path in paths)


@given(SETS, SETS)
def test_operations_are_those_of_sets(a: frozenset[Path], b: frozenset[Path]) -> None:
    one, other = build(a), build(b)
    assert frozenset(fieldset.paths(fieldset.union(one, other))) == a | b
    assert frozenset(fieldset.paths(fieldset.difference(one, other))) == a - b
    assert frozenset(fieldset.paths(fieldset.intersection(one, other))) == a & b
    assert (one, other) == (build(a), build(b))


@given(SETS)
def test_equal_sets_are_equal_json(a: frozenset[Path]) -> None:
    built = build(a)
    assert built == build(frozenset(sorted(a)))
    assert fieldset.decode(built) == built
    assert fieldset.in_order(built) == built
    assert fieldset.difference(built, built) == {}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("f:data", "f:a.b"), ".data.a.b"),
        (("f:spec", "f:containers", fieldset.key({"name": "web"}), "f:image"), '.spec.containers[name="web"].image'),
        (
            ("f:ports", fieldset.key({"protocol": "TCP", "containerPort": 80})),
            '.ports[containerPort=80,protocol="TCP"]',
        ),
        (("f:finalizers", fieldset.value("x/y")), '.finalizers[="x/y"]'),
        (("f:list", "i:3"), ".list[3]"),
    ],
)
def test_paths_read_as_kubernetes_writes_them(path: Path, text: str) -> None:
    assert fieldset.text(path) == text


def test_a_client_may_order_keys_as_it_likes() -> None:
    sent: FieldSet = {"f:ports": {'k:{"protocol":"TCP", "containerPort":80}': {}}}
    assert fieldset.decode(sent) == {"f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {}}}


@pytest.mark.parametrize("raw", [[], "x", {"a": {}}, {"x:a": {}}, {"k:1": {}}, {"k:{": {}}, {"f:a": 1}, {"v:{}": {}}])
def test_what_is_no_set_is_refused(raw: Any) -> None:
    with pytest.raises(FieldSetError):
        fieldset.decode(raw)
