"""Pruning and defaulting: what a structural schema takes from an object, and what it adds.

Source: apiextensions-apiserver's pkg/apiserver/schema/pruning and …/defaulting.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from kubelearn.api.resource import Obj

_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_TYPE_META = frozenset({"apiVersion", "kind", "metadata"})


def prune(value: Any, schema: Obj, *, root: bool = False) -> list[str]:
    """Take away what the schema does not specify, in place; the paths of what went, sorted. At the root of an object
    `apiVersion`, `kind` and `metadata` are no business of its schema."""
    return sorted(_prune(value, schema, "", root))


def _prune(value: Any, schema: Obj, path: str, whole: bool) -> Iterator[str]:
    if isinstance(value, list):
        items = schema.get("items")
        for index, item in enumerate(value):
            if isinstance(items, dict):
                yield from _prune(item, items, f"{path}[{index}]", items.get(_EMBEDDED, False))
        return
    if not isinstance(value, dict):
        return
    properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
    for key in list(value):
        here = f"{path}.{key}" if path else key
        if whole and key in _TYPE_META:
            continue
        known = properties.get(key, others if isinstance(others, dict) else None)
        if known is not None:
            yield from _prune(value[key], known, here, known.get(_EMBEDDED, False))
        elif others is not True and not schema.get(_PRESERVE):
            del value[key]
            yield here


def fill(value: Any, schema: Obj) -> None:
    """Defaults where a field is left out, in place; a null that may not be one is as good as left out."""
    if isinstance(value, list):
        items = schema.get("items")
        for item in value:
            if isinstance(items, dict):
                fill(item, items)
        return
    if not isinstance(value, dict):
        return
    for key, known in (schema.get("properties") or {}).items():
        if key in value and value[key] is None and not known.get("nullable"):
            del value[key]
        if key not in value and "default" in known:
            value[key] = copy.deepcopy(known["default"])
        if key in value:
            fill(value[key], known)
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        for key in [k for k in value if k not in (schema.get("properties") or {})]:
            fill(value[key], others)


def children(value: Any, schema: Obj, path: str) -> Iterator[tuple[Any, Obj, str]]:
    """What is directly inside a value and has a schema: value, schema and path."""
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield item, schema["items"], f"{path}[{index}]"
    elif isinstance(value, dict):
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for key in sorted(value):
            if key in properties:
                yield value[key], properties[key], f"{path}.{key}" if path else key
            elif isinstance(others, dict):
                yield value[key], others, f"{path}[{key}]"
