"""What Go says of JSON that is not well formed, or gives a key twice. Source: Go's encoding/json and sigs.k8s.io/json.

The server parses with orjson, which has words of its own and keeps the last of two equal keys; this module looks at a
body a second time, when something is wrong with it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_END = "unexpected end of JSON input"
_LITERAL = re.compile(rb"[ \t\r\n]*")


def syntax_error(text: bytes, error: orjson.JSONDecodeError) -> str:
    """Go's message for what orjson could not read."""
    if not text.strip():
        return _END
    if "depth" in str(error):
        return "exceeded max depth"
    if "infinity" in str(error):
        return "json: number out of range"
    return scan(text) or str(error)


def scan(text: bytes) -> str:
    """The first thing that Go's scanner stops at, empty where it is content."""
    try:
        at = _value(text, _skip(text, 0), 0)
        at = _skip(text, at)
        if at < len(text):
            raise _Stop(_invalid(text, at, "after top-level value"))
    except _Stop as stop:
        return str(stop)
    return ""


class _Stop(Exception):
    pass


def _skip(text: bytes, at: int) -> int:
    found = _LITERAL.match(text, at)
    return found.end() if found else at


def _invalid(text: bytes, at: int, where: str) -> str:
    if at >= len(text):
        return _END
    c = chr(text[at])
    shown = {"'": r"'\''", '"': "'\"'"}.get(c) or "'" + json.dumps(c)[1:-1].replace('\\"', '"') + "'"
    return f"invalid character {shown} {where}"


def _value(text: bytes, at: int, depth: int) -> int:
    """The end of the value that begins here."""
    if depth > 900:
        raise _Stop("exceeded max depth")
    c = text[at : at + 1]
    if c == b"{":
        return _members(text, at + 1, depth)
    if c == b"[":
        return _elements(text, at + 1, depth)
    if c == b'"':
        return _string(text, at + 1)
    for word in (b"true", b"false", b"null"):
        if c == word[:1]:
            for n, expected in enumerate(word):
                if text[at + n : at + n + 1] != bytes([expected]):
                    where = f"in literal {word.decode()} (expecting '{chr(expected)}')"
                    raise _Stop(_invalid(text, at + n, where))
            return at + len(word)
    found = re.compile(rb"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?").match(text, at)
    if found is None:
        where = "in numeric literal" if c == b"-" else "looking for beginning of value"
        raise _Stop(_invalid(text, at + (c == b"-"), where))
    return found.end()


def _members(text: bytes, at: int, depth: int) -> int:
    at, first = _skip(text, at), True
    while text[at : at + 1] != b"}" or not first:
        if text[at : at + 1] != b'"':
            where = "looking for beginning of object key string"
            raise _Stop(_invalid(text, at, where))
        at = _skip(text, _string(text, at + 1))
        if text[at : at + 1] != b":":
            raise _Stop(_invalid(text, at, "after object key"))
        at = _skip(text, _value(text, _skip(text, at + 1), depth + 1))
        if text[at : at + 1] == b"}":
            break
        if text[at : at + 1] != b",":
            raise _Stop(_invalid(text, at, "after object key:value pair"))
        at, first = _skip(text, at + 1), False
    return at + 1


def _elements(text: bytes, at: int, depth: int) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == b"]":
        return at + 1
    while True:
        at = _skip(text, _value(text, at, depth + 1))
        if text[at : at + 1] == b"]":
            return at + 1
        if text[at : at + 1] != b",":
            raise _Stop(_invalid(text, at, "after array element"))
        at = _skip(text, at + 1)


def _string(text: bytes, at: int) -> int:
    while at < len(text):
        c = text[at]
        if c == 0x22:
            return at + 1
        if c < 0x20:
            raise _Stop(_invalid(text, at, "in string literal"))
        if c == 0x5C:
            at += 1
            if at < len(text) and text[at : at + 1] not in b'"\\/bfnrtu':
                raise _Stop(_invalid(text, at, "in string escape code"))
        at += 1
    raise _Stop(_END)


class _Pairs(list[tuple[str, Any]]):
    """An object whose keys may repeat."""


def duplicate_fields(text: bytes, data: Any) -> list[str]:
    """`duplicate field "metadata.name"` for each key that `text`, which was read as `data`, gives twice."""
    # Where nothing is twice, writing the data again gives as many keys: almost always, and almost for nothing.
    if text.count(b'":') + text.count(b'" :') == orjson.dumps(data).count(b'":'):
        return []
    return list(dict.fromkeys(_twice(json.loads(text, object_pairs_hook=_Pairs), "")))


def _twice(value: Any, path: str) -> list[str]:
    out: list[str] = []
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, item in value:
            where = f"{path}.{key}" if path else key
            if key in seen:
                out.append(f'duplicate field "{where}"')
            seen.add(key)
            out += _twice(item, where)
    elif isinstance(value, list):
        for n, item in enumerate(value):
            out += _twice(item, f"{path}[{n}]")
    return out


def exact_numbers(text: bytes) -> Any:
    """The same data with integers of any size as they are written; None where they cannot be read so."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
