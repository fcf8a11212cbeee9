"""`--sort-by`: rows and objects in the order of a path's values (client-go's runtime sorter)."""

from __future__ import annotations

from typing import Any

from kubelearn.api import jsonpath, quantity
from kubelearn.api.resource import Obj
from kubelearn.kubectl.failures import CommandError


class Nowhere(CommandError):
    """No object has a value at the path."""


def objects(items: list[Obj], path: str) -> list[Obj]:
    """Raises CommandError when no object has a value there."""
    return [item for _, item in _sorted([(item, item) for item in items], path)]


def table(found: Obj, path: str) -> Obj:
    """The table with its rows sorted. Where the path is in no row, kubectl shows no row."""
    pairs = [(row.get("object") or {}, row) for row in found.get("rows") or []]
    try:
        return {**found, "rows": [row for _, row in _sorted(pairs, path)]}
    except Nowhere:
        return {**found, "rows": []}


def _sorted(pairs: list[tuple[Obj, Any]], path: str) -> list[tuple[Any, Any]]:
    try:
        keyed = [(jsonpath.find(path, obj), payload) for obj, payload in pairs]
    except jsonpath.JsonPathError as error:
        raise CommandError(str(error)) from error
    if keyed and not any(values for values, _ in keyed):
        raise Nowhere(f'couldn\'t find any field with path "{jsonpath.relaxed(path)}" in the list of objects')
    return sorted(((values[0] if values else None, payload) for values, payload in keyed), key=lambda p: _key(p[0]))


def _key(value: Any) -> tuple[int, Any]:
    """Missing values first, then numbers, quantities and texts; the sort is stable."""
    if value is None:
        return (0, 0)
    if isinstance(value, bool | int | float):
        return (1, float(value))
    if isinstance(value, str):
        try:
            return (1, float(quantity.parse(value)))
        except ValueError:
            return (2, _natural(value))
    return (3, str(value))


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Numbers inside names by value: web-2 before web-10."""
    parts: list[tuple[int, int, str]] = []
    digits = ""
    for char in text + "\0":
        if char.isdecimal():
            digits += char
            continue
        if digits:
            parts.append((0, int(digits), ""))
            digits = ""
        parts.append((1, 0, char))
    return parts
