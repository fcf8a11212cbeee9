"""Shared by the tests of kinds: an object as the server has it when validation runs."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from kubelearn.api.kind import Kind
from kubelearn.api.kinds._meta import validate_metadata, validate_metadata_update
from kubelearn.api.resource import Obj
from kubelearn.kit.discover import discover

KINDS = {
    kind.resource.kind: kind
    for kind in discover("kubelearn.api.kinds", "KIND", Kind).values()
    if kind.conversion is None
}


def build(kind: str, **content: object) -> Obj:
    resource = KINDS[kind].resource
    obj: Obj = {"apiVersion": resource.api_version, "kind": kind, "metadata": {"name": "x"}} | copy.deepcopy(content)
    if resource.namespaced:
        obj["metadata"].setdefault("namespace", "default")
    return obj


def create(obj: Obj) -> list[str]:
    """Default and prepare in place, and what validation says, as `field: message`."""
    kind = KINDS[obj["kind"]]
    kind.default(obj)
    if kind.prepare:
        kind.prepare(obj, None)
    return [f"{e.field}: {e.message}" for e in validate_metadata(obj, kind) + kind.validate(obj)]


def update(new: Obj, old: Obj) -> list[str]:
    kind = KINDS[new["kind"]]
    kind.default(new)
    if kind.prepare:
        kind.prepare(new, old)
    errors = kind.validate(new) + validate_metadata_update(new, old) + kind.validate_update(new, old)
    return [f"{e.field}: {e.message}" for e in errors]


@pytest.fixture(name="build")
def build_fixture() -> Callable[..., Obj]:
    return build


@pytest.fixture(name="create")
def create_fixture() -> Callable[[Obj], list[str]]:
    return create


@pytest.fixture(name="update")
def update_fixture() -> Callable[[Obj, Obj], list[str]]:
    return update


@pytest.fixture
def kinds() -> dict[str, Kind]:
    return KINDS
