"""The three patches that change an object: JSON patch, JSON merge patch, strategic merge patch.

Strategic merge follows apimachinery's strategicpatch function by function, because its order of list
elements, its directives and its oddities are what users see (a new container comes first). How
`kubectl apply` computes a patch is in `threeway`, which is re-exported here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from kubelearn.api.gonames import go_value
from kubelearn.api.resource import Obj
from kubelearn.api.schema import Field, Type

#: kube-apiserver's limits on a JSON patch: operations, and bytes that its copies add.
MAX_OPERATIONS, MAX_COPIED = 10_000, 3 * 1024 * 1024
DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM_LIST = "$deleteFromPrimitiveList"
SET_ORDER = "$setElementOrder"


class PatchError(Exception):
    """A patch that is malformed or does not apply; the text is apimachinery's where it has one."""


def copy(value: Any) -> Any:
    """A deep copy of JSON."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value


def json_patch(doc: Any, ops: Sequence[Mapping[str, Any]]) -> Any:
    """RFC 6902. Raises PatchError for a bad operation, a missing path, a failing test."""
    import jsonpatch  # only who patches pays for it
    import jsonpointer

    if len(ops) > MAX_OPERATIONS:
        raise PatchError(f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(ops)}")
    doc, copied = copy(doc), 0
    try:
        for op in copy(list(ops)):
            if op.get("op") == "copy":  # which can double the document each time
                copied += len(orjson.dumps(jsonpointer.resolve_pointer(doc, op["from"])))
                if copied > MAX_COPIED:
                    limit = f"{copied}, exceeding the limit {MAX_COPIED}"
                    raise PatchError(f"Unable to copy, the accumulated size increase of copy is {limit}")
            doc = jsonpatch.JsonPatch([op]).apply(doc, in_place=True)
        return doc
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
        raise PatchError(str(error)) from error
    except (
        TypeError,
        KeyError,
        AttributeError,
        ValueError,
        IndexError,
        RecursionError,
    ) as error:  # a path through a scalar, an op that is no object
        raise PatchError(f"the JSON patch does not apply: {error}") from error


def merge_patch(doc: Any, patch: Any) -> Any:
    """RFC 7386: null deletes, objects merge, everything else replaces."""
    if not isinstance(patch, Mapping):
        return copy(patch)
    out = dict(doc) if isinstance(doc, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge_patch(out.get(key), value)
    return out


def strategic_merge(doc: Obj, patch: Obj, schema: Type | None) -> Obj:
    """What the server makes of a strategic merge patch; neither argument is changed."""
    return merge_map(copy(doc), copy(patch), schema, parallel=True)


def three_way(original: Obj, modified: Obj, current: Obj, schema: Type | None) -> Obj:
    """The patch that `kubectl apply` sends: from the last applied configuration, the new one and the live
    object. A strategic merge patch with a schema, a JSON merge patch without. Empty when nothing changes."""
    from kubelearn.api import threeway  # which builds on this module

    if schema is None:
        return threeway.json_merge(original, modified, current)
    return threeway.strategic(original, modified, current, schema)


def field_of(schema: Type | None, key: str) -> Field | None:
    return schema.fields.get(key) if schema is not None else None


def subschema(schema: Type | None, key: str) -> Type | None:
    """The type under a key: a field's, or a map's element; for a list, of its elements."""
    if schema is None:
        return None
    found = field_of(schema, key)
    kind = found.type if found else schema.items if schema.go_kind == "map" else None
    return kind.items if kind is not None and kind.go_kind == "array" else kind


def strategy(schema: Type | None, key: str) -> tuple[bool, str, str]:
    """(retain keys, `merge` or `replace` or empty, merge key) of the field under a key."""
    found = field_of(schema, key)
    if found is None:
        return False, "", ""
    parts = found.patch_strategy.split(",") if found.patch_strategy else []
    rest = [part for part in parts if part != "retainKeys"]
    return "retainKeys" in parts, rest[0] if rest else "", found.patch_merge_key


def merge_map(original: Obj, patch: Obj, schema: Type | None, *, parallel: bool) -> Obj:
    """Merge `patch` into `original`, both consumed. With `parallel`, directives take effect and nulls delete;
    without (two patches are merged) they are kept."""
    if DIRECTIVE in patch:
        return _whole(patch)
    _retain_keys(original, patch, parallel)
    _set_element_order(original, patch, schema, parallel)
    for key, value in patch.items():
        name = key
        deleting = key.startswith(DELETE_FROM_LIST)
        if deleting:
            if not parallel:
                original[key] = value
                continue
            name = key.partition("/")[2]
        if value is None:
            original.pop(name, None)
            if not parallel:
                original[name] = None
        elif name in original and _same_kind(original[name], value):
            original[name] = _merge_value(original[name], value, schema, name, deleting, parallel)
        elif not deleting:
            original[name] = _clean(value) if parallel else value
    return original


def _whole(patch: Obj) -> Obj:
    """A map whose patch has a `$patch` directive: replaced or emptied."""
    directive = patch.pop(DIRECTIVE)
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    raise PatchError(f"unknown patch type: {directive} in map: {go_value({DIRECTIVE: directive} | patch)}")


def _same_kind(a: Any, b: Any) -> bool:
    for kind in (dict, list):
        if isinstance(a, kind) or isinstance(b, kind):
            return isinstance(a, kind) and isinstance(b, kind)
    return True


def _clean(value: Any) -> Any:
    """A patch value that becomes the value: without nulls and directives."""
    if isinstance(value, list):
        return [_clean(item) for item in value if not (isinstance(item, dict) and DIRECTIVE in item)]
    if not isinstance(value, dict):
        return value
    dropped = (DIRECTIVE, RETAIN_KEYS)
    prefixes = (DELETE_FROM_LIST, SET_ORDER)
    return {
        key: _clean(item)
        for key, item in value.items()
        if item is not None and key not in dropped and not key.startswith(prefixes)
    }


def _merge_value(original: Any, value: Any, schema: Type | None, name: str, deleting: bool, parallel: bool) -> Any:
    _, how, merge_key = strategy(schema, name)
    if isinstance(value, dict):
        if how == "replace":
            return value
        return merge_map(original, value, subschema(schema, name), parallel=parallel)
    if isinstance(value, list):
        if how != "merge" and not deleting:
            return value
        return _merge_list(original, value, subschema(schema, name), merge_key, deleting, parallel)
    return value


def _retain_keys(original: Obj, patch: Obj, parallel: bool) -> None:
    if RETAIN_KEYS not in patch:
        return
    keep = patch.pop(RETAIN_KEYS)
    if not isinstance(keep, list):
        raise PatchError("invalid patch format of retainKeys")
    if not parallel:
        if original.setdefault(RETAIN_KEYS, keep) != keep:
            raise PatchError("invalid patch format of retainKeys")
        return
    for key, value in patch.items():
        if value is not None and not key.startswith((DELETE_FROM_LIST, SET_ORDER)) and key not in keep:
            raise PatchError("invalid patch format of retainKeys")
    for key in [key for key in original if key not in keep]:
        del original[key]


def _set_element_order(original: Obj, patch: Obj, schema: Type | None, parallel: bool) -> None:
    for key in [key for key in patch if key.startswith(SET_ORDER)]:
        order = patch.pop(key)
        if not isinstance(order, list):
            raise PatchError("expected a list of elements in $setElementOrder")
        if not parallel:
            if original.setdefault(key, order) != order:
                raise PatchError("invalid patch format of setElementOrder list")
            continue
        name = key.partition("/")[2]
        _, how, merge_key = strategy(schema, name)
        live, change = original.get(name), patch.pop(name, None)
        if live is None and change is None:
            continue
        _check_order(change or [], order, merge_key)
        if live is None or change is None:
            merged = live or _clean(change or [])
        elif how == "merge":
            merged = _merge_list(list(live), change, subschema(schema, name), merge_key, False, parallel)
        else:
            merged = change
        if not live and not change:
            raise PatchError("no elements in any of the given slices")
        original[name] = in_order(merged, order, _server_order(live or [], merged, merge_key), merge_key)


def _server_order(live: list[Any], merged: list[Any], merge_key: str) -> list[Any]:
    """The server's order to weave into. Where elements were deleted, Go's merge has by then written added ones
    over their places in the same array, so the added count as being last on the server."""
    before = [identity(item, merge_key) for item in live]
    after = [identity(item, merge_key) for item in merged]
    kept = [item for item in live if identity(item, merge_key) in after]
    added = [item for item in merged if isinstance(item, dict) and identity(item, merge_key) not in before]
    return kept + added[: len(live) - len(kept)]


def _check_order(change: list[Any], order: list[Any], merge_key: str) -> None:
    """Each element that the patch sets must have its place in the order it asks for, in the same sequence."""
    wanted = [identity(item, merge_key) for item in order]
    position = 0
    for item in change:
        if isinstance(item, dict) and item.get(DIRECTIVE) == "delete":
            continue
        try:
            position = wanted.index(identity(item, merge_key), position) + 1
        except ValueError:
            raise PatchError(
                f"The order in patch list:\n{go_value(change)}\n doesn't match $setElementOrder list:\n"
                f"{go_value(order)}\n"
            ) from None


def identity(item: Any, merge_key: str) -> Any:
    """What tells elements of a list apart: the merge key's value, or the scalar itself; of what is no scalar, its text."""
    if not isinstance(item, dict):
        return _hashable(item)
    if not merge_key:
        raise PatchError("cannot merge lists without merge key")
    if merge_key not in item:
        raise PatchError(f"map: {go_value(item)} does not contain declared merge key: {merge_key}")
    return _hashable(item[merge_key])


def _hashable(value: Any) -> tuple[type, Any]:
    return type(value), go_value(value) if isinstance(value, dict | list) else value


def _merge_list(
    original: list[Any], patch: list[Any], schema: Type | None, merge_key: str, deleting: bool, parallel: bool
) -> list[Any]:
    if not original and not patch:
        return original
    maps = any(isinstance(item, dict) for item in (*original, *patch))
    if not maps and deleting:
        return [item for item in original if item not in patch]
    server_order = list(original)
    if maps:
        original, patch = _list_directives(original, patch, merge_key)
        merged = _merge_elements(original, patch, schema, merge_key, parallel)
    else:
        both = original + patch
        merged = [item for at, item in enumerate(both) if item not in both[:at]]
    return in_order(merged, patch, server_order, merge_key if maps else "")


def _list_directives(
    original: list[Any], patch: list[Any], merge_key: str
) -> tuple[list[Any], list[Any]]:  # fmt: skip
    """Apply the `$patch` elements of a list of maps; what is left of both."""
    plain, replace = [], False
    for item in patch:
        if not isinstance(item, dict):
            raise PatchError("expected a list of maps")
        match item.get(DIRECTIVE):
            case None:
                plain.append(item)
            case "delete":
                gone = identity(item, merge_key)
                original = [old for old in original if identity(old, merge_key) != gone]
            case "replace":
                replace = True
            case "merge":
                raise PatchError("merging lists cannot yet be specified in the patch")
            case other:
                raise PatchError(f"unknown patch type: {other} in map: {go_value(item)}")
    return (plain, []) if replace else (original, plain)


def _merge_elements(
    original: list[Any], patch: list[Any], schema: Type | None, merge_key: str, parallel: bool
) -> list[Any]:
    places = {identity(item, merge_key): at for at, item in reversed(list(enumerate(original)))}
    merged = list(original)
    for item in patch:
        key = identity(item, merge_key)
        if key in places:
            merged[places[key]] = merge_map(merged[places[key]], item, schema, parallel=parallel)
        else:
            places[key] = len(merged)
            merged.append(_clean(item) if parallel else item)
    return merged


def in_order(merged: list[Any], wanted: list[Any], server: list[Any], merge_key: str) -> list[Any]:
    """The elements that the patch names in its order, the server's own woven in where they were: each goes
    before the first wanted element that the server had after it (strategicpatch.mergeSortedSlice)."""
    rank = {identity(item, merge_key): at for at, item in reversed(list(enumerate(wanted)))}
    live = {identity(item, merge_key): at for at, item in reversed(list(enumerate(server)))}
    keyed = [(identity(item, merge_key), item) for item in merged]
    ours = sorted((pair for pair in keyed if pair[0] in rank), key=lambda pair: rank[pair[0]])
    theirs = sorted((pair for pair in keyed if pair[0] not in rank), key=lambda pair: live.get(pair[0], 0))
    out = []
    while ours and theirs:
        left, right = live.get(theirs[0][0]), live.get(ours[0][0])
        before = left is not None and right is not None and left < right
        out.append((theirs if before else ours).pop(0)[1])
    return out + [item for _, item in (*ours, *theirs)]
