"""Owners of fields after creates and updates: what they get, lose and keep."""

from __future__ import annotations

import pytest
from support.api import configmap

from kubelearn.api import fieldset, managed_fields, scale_fields, shape
from kubelearn.api.fieldset import FieldSet, FieldSetError
from kubelearn.api.managed_fields import Entry, Managed, Owner
from kubelearn.api.resource import Obj

CONFIGMAP = shape.of_kind("", "v1", "ConfigMap")
BLANK = shape.blank("", "v1", "ConfigMap")
T1, T2 = "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"
ANN, BOB = managed_fields.updater("ann", "v1"), managed_fields.updater("bob", "v1")


def written(old: Obj, new: Obj, managed: Managed, owner: Owner = ANN, now: str = T1) -> Managed:
    return managed_fields.update(old, new, CONFIGMAP, managed, owner, now)


def test_a_creator_owns_what_it_set_and_no_identity() -> None:
    made = written(BLANK, configmap("c", {"x": "1"}, a="1"), {})
    assert made == {
        ANN: Entry("v1", {"f:metadata": {"f:labels": {".": {}, "f:x": {}}}, "f:data": {".": {}, "f:a": {}}}, T1)
    }


def test_defaults_and_empty_structs_are_the_creators() -> None:
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i", "resources": {}, "ports": [{"containerPort": 80}]}],
                 "securityContext": {}, "tolerations": [{"key": "k"}]},
    }  # fmt: skip
    of = shape.of_kind("", "v1", "Pod")
    made = managed_fields.update(shape.blank("", "v1", "Pod"), pod, of, {}, ANN, T1, ("status",))
    assert made[ANN].fields == {
        "f:spec": {
            "f:containers": {
                'k:{"name":"c"}': {
                    ".": {},
                    "f:image": {},
                    "f:name": {},
                    "f:ports": {
                        ".": {},
                        'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}},
                    },
                    "f:resources": {},
                }
            },
            "f:securityContext": {},
            "f:tolerations": {},
        }
    }


def test_a_change_takes_the_field_and_only_the_field() -> None:
    old, new = configmap(a="1", b="1"), configmap(a="2", b="1")
    before = written(BLANK, old, {})
    after = written(old, new, before, BOB, T2)
    assert after[BOB] == Entry("v1", {"f:data": {"f:a": {}}}, T2)
    assert after[ANN].fields["f:data"] == {".": {}, "f:b": {}}
    assert after[ANN].time == T1


def test_a_removal_is_nobodys_and_leaves_times_alone() -> None:
    old, new = configmap(a="1", b="1"), configmap(b="1")
    after = written(old, new, written(BLANK, old, {}), BOB, T2)
    assert set(after) == {ANN}
    assert after[ANN].fields["f:data"] == {".": {}, "f:b": {}}
    assert after[ANN].time == T1


def test_writing_nothing_changes_nothing() -> None:
    old = configmap(a="1")
    before = written(BLANK, old, {})
    assert written(old, configmap(a="1"), before, BOB, T2) == before


def test_the_oldest_updaters_become_one() -> None:
    obj = BLANK
    managed: Managed = {}
    for n in range(13):
        new = configmap(**{**obj.get("data", {}), f"k{n:02}": "1"})
        managed = written(obj, new, managed, managed_fields.updater(f"m{n:02}", "v1"), f"2026-01-01T00:00:{n:02}Z")
        obj = new
    assert len(managed) == managed_fields.MAX_UPDATERS
    ancient = managed[managed_fields.updater(managed_fields.ANCIENT, "v1")]
    assert {f"f:k{n:02}" for n in range(4)} <= set(ancient.fields["f:data"])
    owned = [path for entry in managed.values() for path in fieldset.paths(entry.fields) if len(path) == 2]
    assert sorted(p[1] for p in owned if p[0] == "f:data") == [f"f:k{n:02}" for n in range(13)]


def test_entries_are_in_kubernetes_order() -> None:
    fields: FieldSet = {"f:data": {}}
    managed = {
        managed_fields.updater("b", "v1"): Entry("v1", fields, T1),
        managed_fields.updater("a", "v1"): Entry("v1", fields, T2),
        managed_fields.updater("s", "v1", "scale"): Entry("v1", fields),
        managed_fields.applier("z"): Entry("v1", fields, T2),
        managed_fields.applier("y"): Entry("v1", fields, T2),
    }
    shown = managed_fields.encode(managed)
    assert [e["manager"] for e in shown] == ["y", "z", "s", "b", "a"]
    assert shown[2] == {
        "manager": "s", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
        "fieldsV1": fields, "subresource": "scale",
    }  # fmt: skip
    again = managed_fields.decode(shown)
    assert {owner: entry[:3] for owner, entry in again.items()} == {owner: e[:3] for owner, e in managed.items()}
    assert managed_fields.same_but_for_times(shown, [{**e, "time": T1} for e in shown])
    assert not managed_fields.same_but_for_times(shown, shown[:-1])


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"operation": "Create", "apiVersion": "v1", "fieldsType": "FieldsV1"},
        {"operation": "Apply", "fieldsType": "FieldsV1"},
        {"operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV2"},
        {"operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"nonsense": {}}},
    ],
)
def test_entries_that_make_no_sense_are_refused(entry: Obj) -> None:
    with pytest.raises(FieldSetError):
        managed_fields.decode([entry])


def test_only_an_empty_list_or_entry_resets() -> None:
    assert managed_fields.is_reset([])
    assert managed_fields.is_reset([{}])
    assert not managed_fields.is_reset(None)
    assert not managed_fields.is_reset([{"manager": "x"}])


def test_a_scale_takes_the_replicas_from_their_owner() -> None:
    path = scale_fields.path_of("spec.replicas")
    applier = managed_fields.applier("kubectl")
    parent = {applier: Entry("apps/v1", {"f:spec": {"f:replicas": {}, "f:selector": {}}}, T1)}
    seen = scale_fields.to_scale(parent, path)
    assert seen == {applier: Entry("autoscaling/v1", {"f:spec": {"f:replicas": {}}}, T1)}
    of = shape.of_kind("autoscaling", "v1", "Scale")
    owner = managed_fields.updater("kubectl", "autoscaling/v1", "scale")
    for _ in range(2):  # the second time by the same hand
        seen = scale_fields.to_scale(parent, path)
        seen = managed_fields.update({"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, of, seen, owner, T2)
        parent = scale_fields.to_parent(parent, seen, path, "apps/v1")
        assert parent == {
            applier: Entry("apps/v1", {"f:spec": {"f:selector": {}}}, T1),
            managed_fields.updater("kubectl", "apps/v1", "scale"): Entry("apps/v1", {"f:spec": {"f:replicas": {}}}),
        }
