"""Patches. The strategic cases were checked against kubectl's own implementation (`kubectl patch --local`)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.api import patch, schema

DEPLOYMENT = schema.for_kind("apps", "v1", "Deployment")
POD = schema.for_kind("", "v1", "Pod")
Obj = dict[str, Any]


def spec(*containers: Obj, **more: Any) -> Obj:
    return {"spec": {"containers": list(containers), **more}}


def named(name: str, **fields: Any) -> Obj:
    return {"name": name, **fields}


def containers_after(change: Obj, *containers: Obj) -> list[Obj]:
    merged = patch.strategic_merge(spec(*containers), {"spec": change}, POD)
    return list(merged["spec"]["containers"])


A, B, C, D = named("a", image="1"), named("b", image="2"), named("c", image="3"), named("d", image="4")


def test_a_new_container_comes_first() -> None:
    assert containers_after({"containers": [D]}, A, B) == [D, A, B]


def test_known_containers_keep_the_servers_order_unless_named_otherwise() -> None:
    assert containers_after({"containers": [named("b", image="9")]}, A, B) == [A, named("b", image="9")]
    assert containers_after({"$setElementOrder/containers": [named("c"), named("a")]}, A, B, C) == [B, C, A]


def test_deletion_and_replacement_of_elements() -> None:
    assert containers_after({"containers": [named("a") | {"$patch": "delete"}]}, A, B) == [B]
    assert containers_after({"containers": [{"$patch": "replace"}, D]}, A, B) == [D]
    change = {"$setElementOrder/containers": [named("d")], "containers": [named("a") | {"$patch": "delete"}, D]}
    assert containers_after(change, A, B, C) == [B, C, D]


def test_primitive_lists() -> None:
    doc = {"metadata": {"finalizers": ["f/1", "f/2", "f/3"]}}

    def after(**change: list[str]) -> list[str]:
        named = {key.replace("__", "/").replace("_", "$", 1): value for key, value in change.items()}
        merged = patch.strategic_merge(doc, {"metadata": named}, POD)
        return list(merged["metadata"]["finalizers"])

    assert after(finalizers=["f/9", "f/1"]) == ["f/9", "f/1", "f/2", "f/3"]
    assert after(_deleteFromPrimitiveList__finalizers=["f/2"]) == ["f/1", "f/3"]


def test_atomic_lists_and_nulls() -> None:
    doc: Obj = {
        "metadata": {"labels": {"a": "1", "b": "2"}},
        "spec": {"tolerations": [{"key": "x"}], "containers": [A]},
    }
    change = {"metadata": {"labels": {"a": None, "c": "3"}}, "spec": {"tolerations": [{"key": "y"}]}}
    merged = patch.strategic_merge(doc, change, POD)
    assert merged["metadata"]["labels"] == {"b": "2", "c": "3"}
    assert merged["spec"]["tolerations"] == [{"key": "y"}]
    assert doc["metadata"]["labels"] == {"a": "1", "b": "2"}


def test_retain_keys() -> None:
    doc = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    change = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert patch.strategic_merge(doc, change, DEPLOYMENT) == {"spec": {"strategy": {"type": "Recreate"}}}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"containers": [{"image": "x"}]}, "map: map[image:x] does not contain declared merge key: name"),
        ({"containers": [named("a") | {"$patch": "frob"}]}, "unknown patch type: frob in map: map[$patch:frob name:a]"),
        ({"$patch": "frob"}, "unknown patch type: frob in map: map[$patch:frob]"),
        (
            {"$setElementOrder/containers": [named("a")], "containers": [named("n")]},
            "The order in patch list:\n[map[name:n]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
        ),
    ],
)
def test_bad_strategic_patches(change: Obj, error: str) -> None:
    with pytest.raises(patch.PatchError) as caught:
        containers_after(change, A)
    assert str(caught.value) == error


@pytest.mark.parametrize(
    ("doc", "change", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}), ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}), ({"a": ["b"]}, {"a": "c"}, {"a": "c"}), ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}), ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ],
)  # fmt: skip
def test_rfc_7386(doc: Any, change: Any, result: Any) -> None:
    assert patch.merge_patch(doc, change) == result


def test_json_patch() -> None:
    doc = {"a": {"b": "1"}, "l": [1]}
    ops: list[Obj] = [
        {"op": "test", "path": "/a/b", "value": "1"}, {"op": "add", "path": "/l/-", "value": 2},
        {"op": "remove", "path": "/a/b"},
    ]  # fmt: skip
    assert patch.json_patch(doc, ops) == {"a": {}, "l": [1, 2]}
    assert doc == {"a": {"b": "1"}, "l": [1]}


@pytest.mark.parametrize(
    "op",
    [
        {"op": "test", "path": "/a", "value": 2}, {"op": "remove", "path": "/b"}, {"op": "frob", "path": "/a"},
        {"op": "replace", "path": "/b", "value": 1}, {"op": "add", "path": "/x/y", "value": 1}, {"op": "add"}, "frob",
        {"op": "add", "path": "/a/b", "value": 1}, {"op": "remove", "path": "/l/7"},
    ],
)  # fmt: skip
def test_json_patch_errors(op: Any) -> None:
    ops: list[Any] = [op]
    with pytest.raises(patch.PatchError):
        patch.json_patch({"a": 1, "l": []}, ops)


names = st.sampled_from("abcdef")
values = st.sampled_from(["1", "2", "3"])
env = st.lists(st.builds(named, names, value=values), unique_by=lambda e: e["name"], max_size=3)
one = st.builds(named, names, image=values, env=env, command=st.lists(values, max_size=2))
pods = st.builds(
    lambda containers, labels, finalizers: (
        spec(*containers) | {"metadata": {"labels": labels, "finalizers": finalizers}}
    ),
    st.lists(one, unique_by=lambda c: c["name"], min_size=1, max_size=4),
    st.dictionaries(names, values, max_size=3),
    st.lists(names, unique=True, max_size=3),
)


@given(pods, pods)
def test_apply_to_an_untouched_object_gives_the_new_manifest(original: Obj, modified: Obj) -> None:
    change = patch.three_way(original, modified, original, POD)
    merged = patch.strategic_merge(original, change, POD)
    assert merged["metadata"]["labels"] == modified["metadata"]["labels"]
    assert sorted(merged["metadata"]["finalizers"]) == sorted(modified["metadata"]["finalizers"])
    assert merged["spec"]["containers"] == modified["spec"]["containers"]


@given(pods, pods)
def test_apply_twice_changes_nothing_and_foreign_fields_stay(original: Obj, modified: Obj) -> None:
    live = patch.strategic_merge(original, {"status": {"phase": "Running"}, "metadata": {"uid": "u"}}, POD)
    merged = patch.strategic_merge(live, patch.three_way(original, modified, live, POD), POD)
    assert merged["status"] == {"phase": "Running"}
    assert merged["metadata"]["uid"] == "u"
    assert patch.three_way(modified, modified, modified, POD) == {}


trees = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from("xy"),
    lambda inner: st.dictionaries(names, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=8,
)
no_nulls = st.dictionaries(names, trees, max_size=3).map(lambda o: patch.merge_patch({}, o))


@given(no_nulls, no_nulls)
def test_json_merge_three_way(original: Obj, modified: Obj) -> None:
    change = patch.three_way(original, modified, original, None)
    assert patch.merge_patch(original, change) == modified


def test_three_way_sends_what_kubectl_sends() -> None:
    original = spec(A, B)
    modified = spec(named("a", image="9"), D)
    change = patch.three_way(original, modified, original, POD)
    assert change == {
        "spec": {
            "$setElementOrder/containers": [named("a"), named("d")],
            "containers": [named("a", image="9"), D, named("b") | {"$patch": "delete"}],
        }
    }


def test_a_json_patch_cannot_grow_without_end() -> None:
    doubling = [{"op": "copy", "from": "/data", "path": f"/data/{n}"} for n in range(40)]
    with pytest.raises(patch.PatchError, match="Unable to copy, the accumulated size increase of copy is"):
        patch.json_patch({"data": {"a": "x" * 1000}}, doubling)
    with pytest.raises(patch.PatchError, match="maximum operations in a JSON patch is 10000, got 10001"):
        patch.json_patch({}, [{"op": "test", "path": "", "value": {}}] * 10_001)
