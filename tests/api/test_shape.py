"""How types merge: every kind that the release defines has a shape, and the lists that merge have what it takes."""

from __future__ import annotations

import pytest

from kubelearn.api import schema, shape
from kubelearn.api.comparing import compare, held
from kubelearn.api.shape import ShapeError


def test_every_kind_has_a_shape_and_a_blank_that_is_like_itself() -> None:
    for group, version, kind in schema.known_kinds():
        of = shape.of_kind(group, version, kind)
        blank = shape.blank(group, version, kind)
        same = compare(blank, blank, of)
        assert (same.added, same.modified, same.removed) == ({}, {}, {}), kind
        assert isinstance(held(blank, of), dict)


def test_a_blank_is_what_go_writes_of_nothing() -> None:
    blank = shape.blank("apps", "v1", "Deployment")
    assert blank["spec"]["strategy"] == {}
    assert blank["spec"]["selector"] is None
    assert blank["spec"]["template"]["spec"]["containers"] is None
    assert blank["status"] == {}


@pytest.mark.parametrize(
    ("kind", "path", "relation"),
    [
        ("Pod", "spec.containers", "keyed"),
        ("Pod", "spec.tolerations", "atomic"),
        ("Pod", "spec.nodeSelector", "atomic"),
        ("Pod", "metadata.labels", "map"),
        ("Pod", "metadata.finalizers", "set"),
        ("Pod", "metadata.ownerReferences", "keyed"),
        ("Pod", "spec", "struct"),
        ("Service", "spec.selector", "atomic"),
        ("Service", "spec.ports", "keyed"),
        ("Event", "involvedObject", "atomic"),
    ],
)
def test_relations_are_those_of_the_definitions(kind: str, path: str, relation: str) -> None:
    at = shape.of_kind("", "v1", kind)
    for name in path.split("."):
        below = at.child(name)
        assert below is not None
        at = below
    assert at.relation == relation


def test_a_key_left_out_has_its_default_or_is_missed() -> None:
    pod = shape.of_kind("", "v1", "Pod")
    spec = pod.child("spec")
    containers = spec.child("containers") if spec else None
    ports = containers.item.child("ports") if containers else None
    assert ports is not None
    assert ports.element({"containerPort": 80}) == 'k:{"containerPort":80,"protocol":"TCP"}'
    status = pod.child("status")
    addresses = status.child("conditions") if status else None
    assert addresses is not None
    with pytest.raises(ShapeError, match="associative list with keys may not have non-map elements"):
        addresses.element("x")
    lost = shape.Shape("keyed", None, ("ip",))
    with pytest.raises(ShapeError, match='omits key field "ip"'):
        lost.element({})


def test_what_has_no_schema_is_deduced() -> None:
    of = shape.of_kind("example.com", "v1", "Widget")
    assert of.relation == "deduced"
    assert shape.blank("example.com", "v1", "Widget") == {}
