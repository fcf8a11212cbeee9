"""Enumerations: whatever the official definitions list the values of, no other value is accepted."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from fuzz.samples import SAMPLES, sample

from kubelearn.api import definitions
from kubelearn.api.kind import Kind
from kubelearn.api.kinds._meta import validate_metadata
from kubelearn.api.resource import Obj
from kubelearn.kit.discover import discover

KINDS = {
    (kind.resource.api_version, kind.resource.kind): kind
    for kind in discover("kubelearn.api.kinds", "KIND", Kind).values()
    if kind.conversion is None
}
#: Nothing in Kubernetes looks at the claims that a StatefulSet will make.
UNCHECKED = "spec.volumeClaimTemplates."


def enums(definition: str, obj: Obj, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of the enumerations that an object has, or could have in what is there; without its status."""
    properties = definitions.raw(definition).get("properties", {})
    for field, facts in definitions.facts().get(definition, {}).items():
        if "enum" in facts:
            yield (*path, field)
    for field, spec in properties.items():
        value = obj.get(field)
        if field == "status" and not path:
            continue
        if isinstance(value, dict) and (one := definitions.referenced(spec)):
            yield from enums(one, value, (*path, field))
        if isinstance(value, list) and (one := definitions.referenced(spec.get("items") or {})):
            for index, item in enumerate(value):
                yield from enums(one, item, (*path, field, index))


def cases() -> Iterator[Any]:
    for version, kind in sorted(SAMPLES):
        group, _, number = version.rpartition("/")
        definition = definitions.name_of(group, number, kind)
        if (version, kind) not in KINDS or definition is None:
            continue
        for path in enums(definition, sample(version, kind)):
            text = ".".join(map(str, path))
            if not text.startswith(UNCHECKED):
                yield pytest.param(version, kind, path, id=f"{kind}.{text}")


@pytest.mark.parametrize(("version", "kind", "path"), cases())
def test_no_other_value(version: str, kind: str, path: tuple[Any, ...]) -> None:
    described, obj = KINDS[(version, kind)], copy.deepcopy(sample(version, kind))
    where: Any = obj
    for step in path[:-1]:
        where = where[step]
    where[path[-1]] = ["Bogus"] if isinstance(where.get(path[-1]), list) else "Bogus"
    described.default(obj)
    problems = validate_metadata(obj, described) + described.validate(obj)
    assert [e.reason for e in problems if "Bogus" in e.message], problems
