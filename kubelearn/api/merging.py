"""An applied configuration merged into the live object, what is no longer applied taken out of it, and what makes
a configuration none: structured-merge-diff's Merge, RemoveItems and validation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from kubelearn.api import fieldset
from kubelearn.api.comparing import MISSING, indexed, is_leaf
from kubelearn.api.fieldset import FieldSet
from kubelearn.api.resource import Obj
from kubelearn.api.shape import Shape, ShapeError


def merge(live: Obj, config: Obj, shape: Shape) -> Obj:
    """The live object with everything that the configuration sets; neither is changed, parts are shared."""
    merged: Obj = _merge(live, config, shape)
    return merged


def _merge(live: Any, config: Any, shape: Shape) -> Any:
    if config is MISSING:
        return live
    if live is MISSING or (is_leaf(live, shape) and is_leaf(config, shape)):
        return config
    if is_leaf(config, shape) and shape.relation != "atomic" and not config:
        return live  # nothing is asked of a list or map that has something
    if is_leaf(config, shape) or is_leaf(live, shape):
        return config
    if isinstance(config, list):
        return _merge_lists(live, config, shape)
    out = dict(live)
    for name, value in config.items():
        below = shape.child(name)
        if below is not None:
            out[name] = _merge(live.get(name, MISSING), value, below)
    return out


def _merge_lists(live: list[Any], config: list[Any], shape: Shape) -> list[Any]:
    """Elements of the configuration in its order; the others stay behind what they stood behind."""
    ours, theirs = indexed(live, shape), indexed(config, shape)
    left, right = deque(ours), deque(theirs)
    shared = deque(element for element in theirs if element in ours)
    order: list[str] = []
    while left or right:
        if left and left[0] not in theirs:
            order.append(left.popleft())
        elif not right:
            left.popleft()
        elif left and left[0] != right[0] and shared and shared[0] != left[0]:
            left.popleft()  # its place is where the configuration has it
        else:
            taken = right.popleft()
            order.append(taken)
            if left and left[0] == taken:
                left.popleft()
            if shared and shared[0] == taken:
                shared.popleft()
    return [_merge(ours.get(e, MISSING), theirs.get(e, MISSING), shape.item) for e in order]


def prune(merged: Obj, last: FieldSet, kept: FieldSet, shape: Shape) -> Obj:
    """The object without what an applier applied last time (`last`) and nobody claims any more (`kept`: all
    managers, the applier's new set included)."""
    pruned: Obj = _prune(merged, last, kept, shape)
    return pruned


def _prune(value: Any, last: FieldSet, kept: FieldSet, shape: Shape) -> Any:
    if isinstance(value, list):
        out = []
        for item in value:
            element = shape.element(item)
            was, claimed = last.get(element), kept.get(element)
            if fieldset.is_member(was) and not fieldset.is_member(claimed):
                continue
            if fieldset.has_children(was) and not is_leaf(item, shape.item):
                item = _prune(item, was or {}, claimed or {}, shape.item)
            out.append(item)
        return out
    fields: Obj = {}
    for name, item in value.items():
        was, claimed, below = last.get("f:" + name), kept.get("f:" + name), shape.child(name)
        if was is None or below is None:
            fields[name] = item
            continue
        # A field of the type goes with what was applied below it; a key that somebody chose is applied itself.
        ours = fieldset.is_member(was) or shape.declares(name)
        theirs = fieldset.is_member(claimed) or (claimed is not None and shape.declares(name))
        if ours and not theirs:
            continue
        if fieldset.has_children(was) and not is_leaf(item, below):
            item = _prune(item, was, claimed or {}, below) or None  # emptied, not gone: who claims it keeps it
        fields[name] = item
    return fields


def problems(config: Obj, shape: Shape) -> list[str]:
    """What keeps a configuration from being one of its type, each with its path, as structured-merge-diff says."""
    return [f"{path}: {text}" if path else text for path, text in _problems(config, shape, "")]


def _problems(value: Any, shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    if value is None or shape.relation == "deduced":
        return
    if shape.relation == "atomic":
        if wrong := _wrong_scalar(value, shape.scalar):
            yield path, wrong
    elif shape.relation in ("keyed", "set"):
        yield from _list_problems(value, shape, path)
    elif not isinstance(value, dict):
        yield path, f"expected map, got {_go(value)}"
    else:
        for name in sorted(value):
            below = shape.child(name)
            if below is None:
                yield f"{path}.{name}", "field not declared in schema"
            else:
                yield from _problems(value[name], below, f"{path}.{name}")


def _list_problems(value: Any, shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, list):
        yield path, f"expected list, got {_go(value)}"
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        try:
            element = shape.element(item)
        except ShapeError as error:
            yield path, f"element {index}: {error}"
            continue
        where = fieldset.text((element,))
        if element in seen:
            yield path, f"duplicate entries for key {where}"
        seen.add(element)
        yield from _problems(item, shape.item, path + where)


def _wrong_scalar(value: Any, wanted: str) -> str:
    found: dict[str, type | tuple[type, ...]] = {
        "string": str, "number": (int, float), "boolean": bool, "list": list, "map": dict,
    }  # fmt: skip
    if not wanted or (isinstance(value, found[wanted]) and (wanted == "boolean" or not isinstance(value, bool))):
        return ""
    name = {"number": "numeric (int or float)"}.get(wanted, wanted)
    return f"expected {name}, got {_go(value)}"


def _go(value: Any) -> str:
    """A value inside structured-merge-diff's wrapper, as Go prints it."""
    from kubelearn.api.gonames import go_value

    return f"&{{{go_value(value)}}}"
