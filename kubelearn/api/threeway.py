"""How `kubectl apply` computes its patch: from the last applied configuration, the new one and the live object.

What the new one adds or changes against the live object, plus deletions of what the last applied one had
and the new one has not; fields that others set stay. Source: apimachinery's strategicpatch and
jsonmergepatch. `patch.three_way` is the entrance.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from kubelearn.api.patch import (
    DELETE_FROM_LIST,
    DIRECTIVE,
    RETAIN_KEYS,
    SET_ORDER,
    copy,
    identity,
    merge_map,
    merge_patch,
    strategy,
    subschema,
)
from kubelearn.api.resource import Obj
from kubelearn.api.schema import Type


@dataclass(frozen=True, slots=True)
class _Options:
    changes: bool
    """Additions and changes go into the patch."""
    deletions: bool
    retain_keys: bool = False


def strategic(original: Obj, modified: Obj, current: Obj, schema: Type) -> Obj:
    delta = _diff_maps(current, modified, schema, _Options(changes=True, deletions=False))
    deletions = _diff_maps(original, modified, schema, _Options(changes=False, deletions=True))
    return merge_map(copy(deletions), copy(delta), schema, parallel=False)


def json_merge(original: Obj, modified: Obj, current: Obj) -> Obj:
    changes = _nulls(_create_merge_patch(current, modified), keep=False)
    deletions = _nulls(_create_merge_patch(original, modified), keep=True)
    return _merge_merge_patches(deletions, changes)


def _create_merge_patch(old: Obj, new: Obj) -> Obj:
    out: Obj = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            if inner := _create_merge_patch(before, value):
                out[key] = inner
        elif key not in old or not _equal(before, value):
            out[key] = copy(value)
    return out


def _equal(a: Any, b: Any) -> bool:
    """JSON equality: true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool(a == b)


def _nulls(patch: Obj, *, keep: bool) -> Obj:
    """Only the nulls of a patch, or all but them."""
    out: Obj = {}
    for key, value in patch.items():
        if isinstance(value, dict):
            inner = _nulls(value, keep=keep)
            if inner or (not keep and not value):
                out[key] = inner
        elif (value is None) == keep:
            out[key] = value
    return out


def _merge_merge_patches(first: Obj, second: Obj) -> Obj:
    out = dict(first)
    for key, value in second.items():
        before = out.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        out[key] = _merge_merge_patches(before or {}, value) if both else merge_patch(None, value)
    return out


def _diff_maps(old: Obj, new: Obj, schema: Type | None, options: _Options) -> Obj:
    patch: Obj = {}
    for key, value in new.items():
        if key not in old:
            if options.changes:
                patch[key] = value
        elif isinstance(value, dict) and isinstance(old[key], dict):
            _diff_field_maps(key, old[key], value, patch, schema, options)
        elif isinstance(value, list) and isinstance(old[key], list):
            _diff_field_lists(key, old[key], value, patch, schema, options)
        elif options.changes and not _equal(old[key], value):
            patch[key] = value
    if options.deletions:
        patch |= {key: None for key in old if key not in new}
    keep = sorted(key for key, value in new.items() if value is not None)
    cleared = any(value is not None and key not in new for key, value in old.items())
    if options.retain_keys and keep and (patch or cleared):
        patch[RETAIN_KEYS] = keep
    return patch


def _diff_field_maps(key: str, old: Obj, new: Obj, patch: Obj, schema: Type | None, options: _Options) -> None:
    retain, how, _ = strategy(schema, key)
    if how == "replace":
        if options.changes and not _equal(old, new):
            patch[key] = new
        return
    inner = _diff_maps(old, new, subschema(schema, key), replace(options, retain_keys=retain))
    if inner:
        patch[key] = inner


def _diff_field_lists(
    key: str, old: list[Any], new: list[Any], patch: Obj, schema: Type | None, options: _Options
) -> None:
    retain, how, merge_key = strategy(schema, key)
    if how != "merge":
        if options.changes and not _equal(old, new):
            patch[key] = new
        return
    options = replace(options, retain_keys=retain)
    if not old:
        if new and options.changes:
            patch[key] = new
    elif any(isinstance(item, dict) for item in (*old, *new)):
        _diff_maps_list(key, old, new, patch, subschema(schema, key), merge_key, options)
    else:
        _diff_scalars(key, old, new, patch, options)


def _diff_maps_list(
    key: str, old: list[Any], new: list[Any], patch: Obj, schema: Type | None, merge_key: str, options: _Options
) -> None:
    before = {identity(item, merge_key): item for item in reversed(old)}
    after = {identity(item, merge_key): item for item in reversed(new)}
    changed: list[Any] = []
    for item in new:
        match = before.get(identity(item, merge_key))
        if match is None:
            if options.changes:
                changed.append(item)
        elif inner := _diff_maps(match, item, schema, options):
            changed.append(inner | {merge_key: item[merge_key]})
    if options.deletions:
        gone = sorted((i for i in before if i not in after), key=lambda i: json.dumps(i[1]))
        changed += [{merge_key: i[1], DIRECTIVE: "delete"} for i in gone]
    if changed:
        patch[key] = changed
    reordered = options.changes and [identity(i, merge_key) for i in old] != [identity(i, merge_key) for i in new]
    if changed or reordered:
        patch[f"{SET_ORDER}/{key}"] = [{merge_key: item[merge_key]} for item in new]


def _diff_scalars(key: str, old: list[Any], new: list[Any], patch: Obj, options: _Options) -> None:
    added = [item for item in new if item not in old] if options.changes else []
    gone = sorted((item for item in old if item not in new), key=str) if options.deletions else []
    if added:
        patch[key] = added
    if gone:
        patch[f"{DELETE_FROM_LIST}/{key}"] = gone
    if gone or (options.changes and not _equal(old, new)):
        patch[f"{SET_ORDER}/{key}"] = new
