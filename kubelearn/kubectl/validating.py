"""What kubectl checks by itself: the items of a List, which no server validates as one.

Pure; goes by the official definitions, so that custom resources in a list are left to the server. Source: kubectl's
util/openapi/validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.api.schema import Type

_PRIMITIVE = {"integer": ("integer", "number"), "number": ("integer", "number"), "boolean": ("boolean",)}


def problems(obj: Obj) -> list[str]:
    """Everything wrong with the object, in kubectl's words and order."""
    from kubelearn.api import schema

    group, _, version = str(obj.get("apiVersion", "")).rpartition("/")
    known = schema.for_kind(group, version, str(obj.get("kind", "")))
    return list(_object(obj, known, str(obj["kind"]))) if known is not None else []


def _object(value: Obj, known: Type, path: str) -> Iterator[str]:
    for key, inner in sorted(value.items()):
        field = known.fields.get(key)
        if field is not None:
            yield from _value(inner, field.type, f"{path}.{key}", field.type.name or f"{known.name}.{key}")
        elif not known.preserves_unknown:
            yield f'ValidationError({path}): unknown field "{key}" in {known.name}'
    for name, field in known.fields.items():
        if field.required and name not in value:
            yield f'ValidationError({path}): missing required field "{name}" in {known.name}'


def _value(value: Any, known: Type | None, path: str, name: str) -> Iterator[str]:
    """`name` is what messages call the type: that of its definition, or of the field that spells it out."""
    if value is None or known is None:
        return
    kind = known.go_kind
    expected = {"object": "map", "map": "map", "array": "array"}.get(kind, "")
    got = _json_type(value)
    if expected:
        if got != expected:
            yield _wrong_type(path, name, got, expected)
        elif kind == "object":
            yield from _object(value, known, path)
        elif kind == "map":
            for key, inner in sorted(value.items()):
                yield from _value(inner, known.items, f"{path}.{key}", _element(known, name))
        else:
            for index, inner in enumerate(value):
                yield from _value(inner, known.items, f"{path}[{index}]", _element(known, name))
    elif kind in ("string", "quantity", "intOrString"):
        if got in ("map", "array"):  # any scalar can be a string
            yield _wrong_type(path, name, got, "string")
    elif kind in _PRIMITIVE and got not in _PRIMITIVE[kind]:
        yield _wrong_type(path, name, got, kind)


def _element(known: Type, name: str) -> str:
    return (known.items.name if known.items is not None else "") or name


def _wrong_type(path: str, name: str, got: str, expected: str) -> str:
    return f'ValidationError({path}): invalid type for {name}: got "{got}", expected "{expected}"'


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {dict: "map", list: "array", int: "integer", float: "number"}
    return names.get(type(value), "string")
