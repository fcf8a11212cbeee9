"""Server-side apply as a function: merging, removal, ownership, conflicts; and what must hold for any configuration."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.api import configmap

from kubelearn.api import apply, fieldset, managed_fields, merging, shape
from kubelearn.api.apply import Applied, ApplyConflict
from kubelearn.api.managed_fields import Entry, Managed
from kubelearn.api.resource import Obj

CONFIGMAP = shape.of_kind("", "v1", "ConfigMap")
DEPLOYMENT = shape.of_kind("apps", "v1", "Deployment")
T1, T2 = "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"


def applied(live: Obj, config: Obj, managed: Managed, manager: str = "m", now: str = T1, **options: Any) -> Applied:
    return apply.apply(live, config, CONFIGMAP, managed, manager, now, **options)


def bare(**data: str) -> Obj:
    return {**empty(), "data": data} if data else empty()


def empty() -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}


def deployment(*containers: Obj, **spec: Any) -> Obj:
    template = {"spec": {"containers": list(containers)}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"template": template, **spec},
    }


def containers_of(obj: Obj) -> list[Obj]:
    found: list[Obj] = obj["spec"]["template"]["spec"]["containers"]
    return found


DATA = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1", "2"]), max_size=5)


@given(DATA, DATA)
def test_applying_twice_is_applying_once(first: dict[str, str], then: dict[str, str]) -> None:
    one = applied({}, bare(**first), {})
    two = applied(one.obj, bare(**then), one.managed, now=T2)
    again = applied(two.obj, bare(**then), two.managed, now="2026-01-01T00:00:09Z")
    assert again == two


@given(DATA, DATA)
def test_applying_nothing_removes_all_that_was_applied_and_nothing_else(
    mine: dict[str, str], rest: dict[str, str]
) -> None:
    theirs = {f"z{k}": v for k, v in rest.items()}
    live = applied({}, bare(**mine), {})
    both = applied(live.obj, bare(**theirs), live.managed, "other")
    gone = applied(both.obj, empty(), both.managed)
    assert (gone.obj.get("data") or {}) == theirs
    assert managed_fields.applier("m") not in gone.managed
    other = managed_fields.applier("other")
    assert gone.managed.get(other) == both.managed.get(other)


@given(DATA, DATA)
def test_managers_of_other_fields_never_conflict(mine: dict[str, str], rest: dict[str, str]) -> None:
    theirs = {f"z{k}": v for k, v in rest.items()}
    one = applied({}, bare(**mine), {})
    two = applied(one.obj, bare(**theirs), one.managed, "other")
    three = applied(two.obj, bare(**mine), two.managed)
    assert (three.obj.get("data") or {}) == {**mine, **theirs}


@given(DATA, DATA)
def test_what_others_own_changes_by_force_only(mine: dict[str, str], theirs: dict[str, str]) -> None:
    one = applied({}, bare(**mine), {})
    differing = sorted(k for k in mine.keys() & theirs.keys() if mine[k] != theirs[k])
    if differing:
        with pytest.raises(ApplyConflict) as found:
            applied(one.obj, bare(**theirs), one.managed, "other")
        assert [fieldset.text(c.path) for c in found.value.conflicts] == [f".data.{k}" for k in differing]
    two = applied(one.obj, bare(**theirs), one.managed, "other", force=bool(differing))
    assert (two.obj.get("data") or {}) == {**mine, **theirs}
    kept = two.managed.get(managed_fields.applier("m"))
    owned = {p[-1][2:] for p in fieldset.paths(kept.fields) if len(p) == 2} if kept else set()
    assert owned == mine.keys() - set(differing)


def test_conflicts_read_as_kubernetes_words_them() -> None:
    live = bare(a="1", b="1")
    managed: Managed = {
        managed_fields.updater("kubectl-create", "v1"): Entry("v1", {"f:data": {"f:a": {}}}, T1),
        managed_fields.updater("kubectl", "v1", "scale"): Entry("v1", {"f:data": {"f:b": {}}}),
    }
    with pytest.raises(ApplyConflict) as one:
        applied(live, bare(a="2"), managed)
    assert str(one.value) == 'Apply failed with 1 conflict: conflict with "kubectl-create" using v1: .data.a'
    with pytest.raises(ApplyConflict) as two:
        applied(live, bare(a="2", b="2"), managed)
    assert str(two.value) == (
        'Apply failed with 2 conflicts: conflicts with "kubectl" with subresource "scale" using v1:\n- .data.b\n'
        'conflicts with "kubectl-create" using v1:\n- .data.a'
    )
    error = one.value.error()
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.details == {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "kubectl-create" using v1',
                "field": ".data.a",
            }
        ]
    }


def test_sharing_a_value_is_no_conflict_and_keeps_it_until_both_let_go() -> None:
    one = applied({}, bare(a="1"), {})
    two = applied(one.obj, bare(a="1"), one.managed, "other", T2)
    assert two.obj == one.obj
    assert two.managed[managed_fields.applier("other")].time == ""  # nothing was changed at any time
    three = applied(two.obj, empty(), two.managed)
    assert three.obj["data"] == {"a": "1"}
    four = applied(three.obj, empty(), three.managed, "other")
    assert "data" not in four.obj


def test_an_empty_map_that_somebody_applied_stays_theirs_when_it_is_emptied() -> None:
    one = applied({}, bare(a="1"), {})
    two = applied(one.obj, {**empty(), "data": {}}, one.managed, "other")
    three = applied(two.obj, empty(), two.managed)
    assert not three.obj["data"]
    assert three.managed[managed_fields.applier("other")].fields == {"f:data": {}}


def test_list_elements_merge_by_key_in_the_order_of_the_configuration() -> None:
    live = deployment({"name": "a", "image": "1"}, {"name": "injected", "image": "x"}, {"name": "b", "image": "1"})
    config = deployment({"name": "b", "image": "2"}, {"name": "c", "image": "3"}, {"name": "a", "image": "1"})
    done = apply.apply(live, config, DEPLOYMENT, {}, "m", T1)
    assert [(c["name"], c["image"]) for c in containers_of(done.obj)] == [
        ("injected", "x"), ("b", "2"), ("c", "3"), ("a", "1"),
    ]  # fmt: skip


def test_an_element_goes_with_its_defaults_but_only_when_nobody_else_has_it() -> None:
    one = apply.apply({}, deployment({"name": "a", "image": "1"}, {"name": "b", "image": "1"}), DEPLOYMENT, {}, "m", T1)
    live = merging.merge(one.obj, deployment({"name": "a", "imagePullPolicy": "Always"}), DEPLOYMENT)
    rest = deployment({"name": "b", "image": "1"})
    assert [c["name"] for c in containers_of(apply.apply(live, rest, DEPLOYMENT, one.managed, "m", T2).obj)] == ["b"]
    shared = apply.apply(live, deployment({"name": "a"}), DEPLOYMENT, one.managed, "other", T1)
    done = apply.apply(shared.obj, rest, DEPLOYMENT, shared.managed, "m", T2)
    assert sorted(map(str, containers_of(done.obj))) == sorted(
        map(str, [{"name": "a", "imagePullPolicy": "Always"}, {"name": "b", "image": "1"}])
    )


def test_a_struct_goes_with_what_was_filled_in_below_it() -> None:
    probe = {"httpGet": {"path": "/", "port": 80}}
    one = apply.apply({}, deployment({"name": "a", "livenessProbe": probe}), DEPLOYMENT, {}, "m", T1)
    containers_of(one.obj)[0]["livenessProbe"]["periodSeconds"] = 10  # a default: nobody owns it
    done = apply.apply(one.obj, deployment({"name": "a"}), DEPLOYMENT, one.managed, "m", T2)
    assert containers_of(done.obj) == [{"name": "a"}]


def test_atomic_values_are_replaced_whole() -> None:
    one = apply.apply({}, deployment(selector={"matchLabels": {"a": "1"}}), DEPLOYMENT, {}, "m", T1)
    two = apply.apply(one.obj, deployment(selector={"matchLabels": {"b": "1"}}), DEPLOYMENT, one.managed, "m", T2)
    assert two.obj["spec"]["selector"] == {"matchLabels": {"b": "1"}}
    assert two.managed[managed_fields.applier("m")].fields["f:spec"]["f:selector"] == {}


def test_what_nobody_manages_had_an_owner_before_the_first_apply() -> None:
    live = {**bare(a="1", b="1"), "metadata": {"name": "c", "uid": "u"}}
    blank = shape.blank("", "v1", "ConfigMap")
    with pytest.raises(ApplyConflict, match=r'conflict with "before-first-apply" using v1: \.data\.a'):
        applied(live, bare(a="2"), {}, blank=blank)
    done = applied(live, bare(b="1", c="1"), {}, blank=blank)
    assert done.obj["data"] == {"a": "1", "b": "1", "c": "1"}
    assert {o.manager for o in done.managed} == {"m", "before-first-apply"}


def test_kubectl_takes_over_what_client_side_apply_set() -> None:
    last = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1","b":"1"}}'
    live = {**bare(a="1", b="changed"), "metadata": {"name": "c", "annotations": {apply.LAST_APPLIED: last}}}
    before = {
        managed_fields.updater("kubectl-client-side-apply", "v1"): Entry("v1", {"f:data": {"f:a": {}}}, T1),
        managed_fields.updater("someone", "v1"): Entry("v1", {"f:data": {"f:b": {}}}, T1),
    }
    done = applied(live, bare(a="2"), before, "kubectl", T2)
    assert done.obj["data"] == {"a": "2", "b": "changed"}
    assert done.obj["metadata"]["annotations"][apply.LAST_APPLIED] == (
        '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"c"}}\n'
    )
    with pytest.raises(ApplyConflict, match=r'1 conflict: conflict with "someone" using v1: \.data\.b'):
        applied(live, bare(a="2", b="2"), before, "kubectl", T2)
    with pytest.raises(ApplyConflict):
        applied(live, bare(a="2"), before, "other", T2)


def test_a_path_does_not_claim_what_it_does_not_reach() -> None:
    config = {**deployment(replicas=1), "status": {"replicas": 5}}
    live = {**deployment(replicas=1), "status": {"replicas": 1}}
    done = apply.apply(live, config, DEPLOYMENT, {}, "m", T1, ignored=("status",))
    assert done.obj["status"] == {"replicas": 1}
    assert "f:status" not in done.managed[managed_fields.applier("m")].fields


@pytest.mark.parametrize(
    ("config", "texts"),
    [
        ({**empty(), "foo": 1, "data": {"a": 1}}, [".data.a: expected string, got &{1}", ".foo: field not declared in schema"]),
        ({**empty(), "data": []}, [".data: expected map, got &{[]}"]),
        ({**empty(), "immutable": "yes"}, [".immutable: expected boolean, got &{yes}"]),
        ({**empty(), "metadata": {"finalizers": ["a", "a"]}}, ['.metadata.finalizers: duplicate entries for key [="a"]']),
    ],
)  # fmt: skip
def test_a_configuration_must_fit_its_schema(config: Obj, texts: list[str]) -> None:
    assert merging.problems(config, CONFIGMAP) == texts


def test_elements_need_their_keys() -> None:
    config = {"spec": {"ports": [{"port": 80}, {"port": 80, "protocol": "TCP"}], "clusterIPs": "x"}}
    assert merging.problems(config, shape.of_kind("", "v1", "Service")) == [
        ".spec.clusterIPs: expected list, got &{x}",
        '.spec.ports: duplicate entries for key [port=80,protocol="TCP"]',
    ]
    owners = {"metadata": {"ownerReferences": ["x"]}}
    assert merging.problems(owners, CONFIGMAP) == [
        ".metadata.ownerReferences: element 0: associative list with keys may not have non-map elements"
    ]


def test_without_a_schema_objects_merge_and_lists_do_not() -> None:
    live = {"apiVersion": "x/v1", "kind": "W", "metadata": {}, "spec": {"a": {"b": 1, "c": 2}, "l": [1, 2]}}
    config = {"apiVersion": "x/v1", "kind": "W", "metadata": {}, "spec": {"a": {"b": 3}, "l": [3]}}
    done = apply.apply(live, config, shape.DEDUCED, {}, "m", T1)
    assert done.obj["spec"] == {"a": {"b": 3, "c": 2}, "l": [3]}
    assert {fieldset.text(p) for p in fieldset.paths(done.managed[managed_fields.applier("m")].fields)} >= {
        ".spec.a.b",
        ".spec.l",
    }


def test_configmap_of_the_tests_is_a_configuration() -> None:
    assert merging.problems(configmap(a="1"), CONFIGMAP) == []
