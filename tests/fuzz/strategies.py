"""What hypothesis sends: junk, and valid objects with something wrong in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

#: Values that have broken servers before, whatever the field they are put in.
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 1.5, -0.0, 1e308, "", " ", "a",
    "x", "1", "-1", "²", "٣", "10Mi", "1e9999", "1e-999", ".", "..", "a/b", "/", "%", "%00", "\x00", "\n", "é", "💥",
    "x" * 300, "A_B", "-a", "kubernetes.io/x", "1.2.3.4", "::1", "0.0.0.0/0", "25%", "101%", "$patch", "In", "Exists",
    "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59", "* * * * *", "0 0 31 2 *", "@every 1s",
    [], {}, [None], [[]], [{}], [{}, {}], {"": ""}, {"a": None}, {"$patch": "delete"}, {"$patch": "x"}, {"name": "c"}, ["a", "a"],
)  # fmt: skip
KEYS = (
    "metadata", "spec", "status", "name", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "uid",
    "resourceVersion", "generateName", "managedFields", "deletionTimestamp", "creationTimestamp", "kind", "apiVersion",
    "containers", "selector", "template", "ports", "type", "", "$patch", "$retainKeys", "$setElementOrder/containers",
    "$deleteFromPrimitiveList/finalizers", "a/b", "é", "\x00",
)  # fmt: skip

odd = st.sampled_from(ODD)
keys = st.sampled_from(KEYS) | st.text(max_size=4)
junk = st.recursive(
    odd | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value within, the outermost left out."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        found += places(item, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, obj: Any, most: int = 3) -> Any:
    """A copy of `obj` with values replaced, left out, doubled, or put where none was."""
    obj = _copied(obj)
    for _ in range(draw(st.integers(1, most))):
        paths = places(obj)
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        parent = obj
        for key in path[:-1]:
            parent = parent[key]
        how = draw(st.sampled_from(("odd", "junk", "drop", "double", "add", "steal")))
        if how == "odd":
            parent[path[-1]] = draw(odd)
        elif how == "junk":
            parent[path[-1]] = draw(junk)
        elif how == "drop":
            del parent[path[-1]]
        elif how == "double" and isinstance(parent, list):
            parent.append(parent[path[-1]])
        elif how == "steal":
            other = draw(st.sampled_from(paths))
            parent[path[-1]] = _copied(_at(obj, other))
        elif isinstance(parent, dict):
            parent[draw(keys)] = draw(odd)
        obj = _copied(obj)  # no two places share a value
    return obj


def _at(obj: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        obj = obj[key]
    return obj


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value


def _json_pointer(path: tuple[Any, ...]) -> str:
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)


@st.composite
def json_patches(draw: st.DrawFn, obj: Any) -> Any:
    """RFC 6902 operations on places that exist, that might, and that cannot."""
    ops = []
    for _ in range(draw(st.integers(0, 4))):
        path = draw(st.sampled_from([(), *places(obj)]))
        if draw(st.booleans()):
            path = (*path, draw(keys | st.sampled_from(["-", "0", "99", "-1"])))
        op: Any = {"op": draw(st.sampled_from(("add", "remove", "replace", "move", "copy", "test", "nope"))),
                   "path": _json_pointer(path)}  # fmt: skip
        if draw(st.integers(0, 3)):
            op["value"] = draw(odd | junk)
        if draw(st.booleans()):
            op["from"] = _json_pointer(draw(st.sampled_from([(), *places(obj)])))
        ops.append(draw(mutated(op, 1)) if draw(st.integers(0, 5)) == 0 else op)
    return ops


_word = st.sampled_from(["app", "a", "a/b", "A", "in", "notin", "x,y", "", "metadata.name", "status.phase", "spec.x"])
_operator = st.sampled_from(["=", "==", "!=", " in (", " notin (", ")", "(", ",", "!", ">", "<", " ", "\\", "\x00"])
selectors = st.lists(_word | _operator | st.text(max_size=2), max_size=7).map("".join)
