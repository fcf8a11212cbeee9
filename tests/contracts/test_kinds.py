"""What every kind of the registry must satisfy; a new kind is covered from the day its file is added."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelearn.api import names, schema, table
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.kinds._meta import validate_metadata, validate_metadata_update
from kubelearn.api.resource import ALL_VERBS, Obj
from kubelearn.kit.discover import discover

KINDS = discover("kubelearn.api.kinds", "KIND", Kind)
REASONS = {
    "FieldValueRequired", "FieldValueInvalid", "FieldValueNotSupported", "FieldValueDuplicate", "FieldValueForbidden",
    "FieldValueNotFound", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid",
}  # fmt: skip
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)

_LEAVES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**40, 1.5, "", "a", "1", "-1", "10Mi", "x" * 300, "A_B", "Always", "Never", "None",
    "ExternalName", "NodePort", "LoadBalancer", "RollingUpdate", "In", "Exists", "é\n", "1.2.3.4", "25%", [], {}, [1],
)  # fmt: skip
_JSON = st.recursive(
    st.sampled_from(_LEAVES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


def minimal(kind: Kind) -> Obj:
    resource = kind.resource
    meta: Obj = {"name": "x", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    if resource.namespaced:
        meta["namespace"] = "default"
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}


def shaped(kind: Kind, rng: random.Random) -> Obj:
    """An object of the kind's official shape; a value in ten may be of a wrong type."""
    root = schema.for_kind(kind.resource.group, kind.resource.version, kind.resource.kind)
    assert root is not None

    def value(type_: schema.Type, left: int) -> Any:
        if left == 0 or rng.random() < 0.1:
            return copy.deepcopy(rng.choice(_LEAVES))
        if type_.go_kind == "object":
            chosen = rng.sample(sorted(type_.fields), min(len(type_.fields), rng.randint(0, 6)))
            return {name: value(type_.fields[name].type, left - 1) for name in chosen}
        if type_.go_kind == "array" and type_.items:
            return [value(type_.items, left - 1) for _ in range(rng.randint(0, 2))]
        if type_.go_kind == "map" and type_.items:
            return {rng.choice(["a", "cpu", "b/c", ""]): value(type_.items, left - 1)}
        return copy.deepcopy(rng.choice(_LEAVES))

    out = minimal(kind)
    for name, field in root.fields.items():
        if name not in ("apiVersion", "kind", "metadata"):
            out[name] = value(field.type, 8)
    return out


@every_kind
def test_resource_is_official(kind: Kind) -> None:
    resource = kind.resource
    assert schema.for_kind(resource.group, resource.version, resource.kind) is not None
    assert resource.singular == resource.kind.lower()
    assert resource.plural == resource.plural.lower()
    assert set(resource.verbs) <= set(ALL_VERBS)
    assert kind.has_status == ("status" in resource.subresources)
    assert (kind.scale is not None) == ("scale" in resource.subresources)
    assert kind.name_rule in names.RULES


def test_names_are_unique() -> None:
    stored = [k for k in KINDS.values() if k.conversion is None]
    words = [w for k in stored for w in {k.resource.plural, k.resource.singular, *k.resource.short_names}]
    assert len(words) == len(set(words))


@every_kind
def test_columns(kind: Kind) -> None:
    assert [c for c in kind.columns if c.format == "name"], "one column holds the name"
    assert len({c.name for c in kind.columns}) == len(kind.columns)
    obj = minimal(kind)
    for prepared in (False, True):
        if prepared:
            kind.default(obj)
        rendered = table.render(kind.columns, [obj])
        assert len(rendered["rows"][0]["cells"]) == len(kind.columns)
        json.dumps(rendered)


@every_kind
def test_defaults_are_idempotent(kind: Kind) -> None:
    obj = minimal(kind)
    kind.default(obj)
    if kind.prepare:
        kind.prepare(obj, None)
    kind.default(obj)
    once = copy.deepcopy(obj)
    kind.default(obj)
    assert obj == once
    assert not schema.check(obj, kind.resource.group, kind.resource.version, kind.resource.kind).unknown


@every_kind
def test_fields(kind: Kind) -> None:
    found = kind.fields(minimal(kind))
    assert found["metadata.name"] == "x"
    assert ("metadata.namespace" in found) == kind.resource.namespaced or kind.fields.__module__.endswith("api.kind")
    assert all(isinstance(value, str) for value in found.values())


def check_errors(errors: list[FieldError]) -> None:
    for error in errors:
        assert error.reason in REASONS
        assert re.match(r"[A-Z][a-z ]+", error.message)
        assert isinstance(error.field, str)


@every_kind
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_nothing_raises(kind: Kind, seed: int) -> None:
    """Defaults, preparation, validation, printing and fields are total, whatever the object holds."""
    rng = random.Random(seed)
    obj, old = shaped(kind, rng), shaped(kind, rng)
    for each in (old, obj):
        kind.default(each)
        once = copy.deepcopy(each)
        kind.default(each)
        assert each == once
    if kind.prepare:
        kind.prepare(old, None)
        kind.prepare(obj, old)
    check_errors(validate_metadata(obj, kind) + kind.validate(obj))
    check_errors(validate_metadata_update(obj, old) + kind.validate_update(obj, old))
    table.render(kind.columns, [obj])
    kind.fields(obj)


@every_kind
@settings(max_examples=25, deadline=None)
@given(meta=st.dictionaries(st.sampled_from(["name", "labels", "annotations", "finalizers", "ownerReferences"]), _JSON))
def test_metadata_never_raises(kind: Kind, meta: Obj) -> None:
    obj = {"metadata": meta}
    check_errors(validate_metadata(obj, kind))
    check_errors(validate_metadata_update(obj, {"metadata": {}}))


@every_kind
def test_unchanged_update_is_valid(kind: Kind) -> None:
    obj = minimal(kind)
    kind.default(obj)
    if kind.prepare:
        kind.prepare(obj, None)
    kind.default(obj)
    new = copy.deepcopy(obj)
    if kind.prepare:
        kind.prepare(new, obj)
    assert new == obj
    assert kind.validate_update(new, obj) == []
    assert validate_metadata_update(new, obj) == []


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.conversion], ids=lambda k: k.resource.api_version)
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_conversions_are_total(kind: Kind, seed: int) -> None:
    """Whatever an object holds it can be turned, and its argument stays as it was."""
    assert kind.conversion is not None
    group, version = kind.conversion.stored
    (stored,) = (
        k
        for k in KINDS.values()
        if (k.resource.group, k.resource.version, k.resource.plural) == (group, version, kind.resource.plural)
    )
    assert stored.conversion is None
    rng = random.Random(seed)
    for source, target, turn in (
        (kind, stored, kind.conversion.to_stored),
        (stored, kind, kind.conversion.from_stored),
    ):
        obj = shaped(source, rng)
        before = copy.deepcopy(obj)
        turned = turn(obj)
        assert obj == before
        assert (turned["apiVersion"], turned["kind"]) == (target.resource.api_version, target.resource.kind)
        assert turned["metadata"]["name"] == "x"
