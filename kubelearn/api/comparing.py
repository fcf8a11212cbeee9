"""What differs between two objects, and what one holds, as sets of fields: structured-merge-diff's Compare and
ToFieldSet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from kubelearn.api import fieldset
from kubelearn.api.fieldset import MEMBER, FieldSet
from kubelearn.api.resource import Obj
from kubelearn.api.shape import Shape


class _Missing:
    """Not there, which is not the same as null."""


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Paths in the new object only, in both with other values, in the old one only."""

    added: FieldSet
    modified: FieldSet
    removed: FieldSet

    @property
    def written(self) -> FieldSet:
        return fieldset.union(self.added, self.modified)


def compare(old: Obj, new: Obj, shape: Shape) -> Comparison:
    """Unlike `held`, the parents of what is added count too, when they are new themselves."""
    out = _Differences()
    _children(old, new, shape, out)
    return Comparison(out.added, out.modified, out.removed)


def held(config: Obj, shape: Shape) -> FieldSet:
    """The fields that a configuration sets: its leaves, its list elements and the keys of its maps."""
    return _held(config, shape)


class _Differences:
    __slots__ = ("added", "modified", "removed")

    def __init__(self) -> None:
        self.added: FieldSet = {}
        self.modified: FieldSet = {}
        self.removed: FieldSet = {}

    def put(self, element: str, below: _Differences) -> None:
        for name in ("added", "modified", "removed"):
            found = getattr(below, name)
            if found:
                getattr(self, name)[element] = found


def is_leaf(value: Any, shape: Shape) -> bool:
    """Whether a value is one whole here; an empty one is."""
    relation = shape.relation
    if relation == "atomic" or not value:
        return True
    return not isinstance(value, list if relation in ("keyed", "set") else dict)


def _children(old: Any, new: Any, shape: Shape, out: _Differences) -> None:
    if shape.relation in ("keyed", "set"):
        before, after, inner = indexed(old, shape), indexed(new, shape), shape.item
        for element in [*after, *(e for e in before if e not in after)]:
            _pair(element, before.get(element, MISSING), after.get(element, MISSING), inner, out)
        return
    before, after = old or {}, new or {}
    for name, value in after.items():
        was = before.get(name, MISSING)
        if was is not value and was != value:
            below = shape.child(name)
            if below is not None:
                _pair("f:" + name, was, value, below, out)
    for name, was in before.items():
        if name not in after:
            below = shape.child(name)
            if below is not None:
                _pair("f:" + name, was, MISSING, below, out)


def indexed(items: Any, shape: Shape) -> dict[str, Any]:
    """A list's elements by path element; the first of duplicates counts."""
    out: dict[str, Any] = {}
    for item in items or ():
        out.setdefault(shape.element(item), item)
    return out


def _pair(element: str, old: Any, new: Any, shape: Shape, out: _Differences) -> None:
    if old is MISSING:
        out.added[element] = _whole(new, shape)
    elif new is MISSING:
        out.removed[element] = _whole(old, shape)
    elif is_leaf(old, shape) and is_leaf(new, shape):
        if old != new:
            out.modified[element] = {}
    elif (old and is_leaf(old, shape)) or (new and is_leaf(new, shape)):
        out.modified[element] = {}  # a scalar where there was an object
    elif old != new:
        below = _Differences()
        _children(old, new, shape, below)
        out.put(element, below)


def _whole(value: Any, shape: Shape) -> FieldSet:
    """Everything in a value that is new or gone, itself included."""
    if is_leaf(value, shape):
        return {}
    out: FieldSet = {MEMBER: {}}
    if isinstance(value, list):
        inner = shape.item
        for element, item in indexed(value, shape).items():
            out[element] = _whole(item, inner)
        return out
    for name, item in value.items():
        below = shape.child(name)
        if below is not None:
            out["f:" + name] = _whole(item, below)
    return out


def _held(value: Any, shape: Shape) -> FieldSet:
    out: FieldSet = {}
    if isinstance(value, list):
        inner = shape.item
        for element, item in indexed(value, shape).items():
            out[element] = fieldset.node(True, {} if is_leaf(item, inner) else _held(item, inner)) or {}
        return out
    for name, item in value.items():
        below = shape.child(name)
        if below is None:
            continue
        leaf = is_leaf(item, below)
        if leaf and below.relation in ("keyed", "set") and item is not None:
            continue  # an empty list of elements claims nothing
        found = fieldset.node(leaf or not shape.declares(name), {} if leaf else _held(item, below))
        if found is not None:
            out["f:" + name] = found
    return out
