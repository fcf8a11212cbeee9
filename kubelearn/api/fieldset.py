"""Sets of field paths in the form that `managedFields` shows: FieldsV1.

A set is the JSON itself, a dict of path elements (`f:name` a field, `k:{"name":"web"}` an element of a keyed
list, `v:"x"` a value of a set, `i:0` a position), so that reading and writing it costs nothing. An element with
`{}` is in the set; one with children is a way to them, and is in the set too where it has a `.`.
Sets are never changed in place: every function makes a new one, and may share parts. Source: the documentation
of FieldsV1 and of server-side apply.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

FieldSet = dict[str, Any]
Path = tuple[str, ...]

MEMBER = "."
_SORTED = orjson.OPT_SORT_KEYS


class FieldSetError(ValueError):
    """What a client sent as fieldsV1 is none."""


def field(name: str) -> str:
    return "f:" + name


def key(values: dict[str, Any]) -> str:
    """The element of a keyed list with these keys."""
    return "k:" + orjson.dumps(values, option=_SORTED).decode()


def value(of: Any) -> str:
    """The element of a set of scalars."""
    return "v:" + orjson.dumps(of, option=_SORTED).decode()


def node(member: bool, children: FieldSet) -> FieldSet | None:
    """What an element maps to; None when it has no place in a set."""
    if not children:
        return {} if member else None
    return {MEMBER: {}, **children} if member else children


def split(of: FieldSet) -> tuple[bool, FieldSet]:
    """Whether an element is a member itself, and its children."""
    if not of:
        return True, of
    if MEMBER in of:
        return True, {k: v for k, v in of.items() if k != MEMBER}
    return False, of


def is_member(of: FieldSet | None) -> bool:
    return of is not None and (not of or MEMBER in of)


def has_children(of: FieldSet | None) -> bool:
    return bool(of) and (len(of or {}) > 1 or MEMBER not in (of or {}))


def union(a: FieldSet, b: FieldSet) -> FieldSet:
    if not a or not b:
        return a or b
    out = dict(a)
    for element, theirs in b.items():
        ours = a.get(element)
        if ours is None:
            out[element] = theirs
            continue
        (one, left), (other, right) = split(ours), split(theirs)
        out[element] = node(one or other, union(left, right))
    return out


def difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """The members of `a` that are not members of `b`."""
    if not a or not b:
        return a
    out: FieldSet = {}
    for element, ours in a.items():
        theirs = b.get(element)
        if theirs is None:
            out[element] = ours
            continue
        (one, left), (other, right) = split(ours), split(theirs)
        kept = node(one and not other, difference(left, right))
        if kept is not None:
            out[element] = kept
    return out


def intersection(a: FieldSet, b: FieldSet) -> FieldSet:
    out: FieldSet = {}
    for element, ours in a.items():
        theirs = b.get(element)
        if theirs is None:
            continue
        (one, left), (other, right) = split(ours), split(theirs)
        kept = node(one and other, intersection(left, right))
        if kept is not None:
            out[element] = kept
    return out


def of_path(path: Path) -> FieldSet:
    """The set with this one member."""
    out: FieldSet = {}
    for element in reversed(path):
        out = {element: out}
    return out


def has(fields: FieldSet, path: Path) -> bool:
    at: FieldSet | None = fields
    for element in path:
        at = at.get(element) if at else None
        if at is None:
            return False
    return is_member(at)


def paths(fields: FieldSet, prefix: Path = ()) -> Iterator[Path]:
    """The members, parents before children, in the order that they are written in."""
    for element in sorted(fields):
        if element == MEMBER:
            continue
        here = (*prefix, element)
        member, children = split(fields[element])
        if member:
            yield here
        yield from paths(children, here)


def text(path: Path) -> str:
    """As messages name a path: `.spec.containers[name="web"].image`, `.metadata.finalizers[="x"]`."""
    return "".join(map(_element_text, path))


def _element_text(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return "." + rest
    if kind == "k":
        keys: dict[str, Any] = orjson.loads(rest)
        return "[" + ",".join(f"{k}={orjson.dumps(keys[k]).decode()}" for k in sorted(keys)) + "]"
    return f"[={rest}]" if kind == "v" else f"[{rest}]"


def in_order(fields: FieldSet) -> FieldSet:
    """The same set, written in the canonical order."""
    return {element: in_order(fields[element]) if fields[element] else {} for element in sorted(fields)}


def decode(raw: Any) -> FieldSet:
    """A set as a client wrote it, in canonical form. Raises FieldSetError."""
    if not isinstance(raw, dict):
        raise FieldSetError("fieldsV1 is no object")
    out: FieldSet = {}
    for element, children in raw.items():
        if element == MEMBER:
            out[MEMBER] = {}
            continue
        out[_canonical(element)] = decode(children)
    return out


def _canonical(element: str) -> str:
    kind, colon, rest = element.partition(":")
    if not colon or kind not in ("f", "k", "v", "i"):
        raise FieldSetError(f"unknown path element {element!r}")
    if kind == "f":
        return element
    try:
        parsed = orjson.loads(rest)
    except orjson.JSONDecodeError as error:
        raise FieldSetError(f"path element {element!r} is no JSON") from error
    if (kind == "k") != isinstance(parsed, dict):
        raise FieldSetError(f"path element {element!r} has no keys")
    return key(parsed) if kind == "k" else value(parsed) if kind == "v" else element
