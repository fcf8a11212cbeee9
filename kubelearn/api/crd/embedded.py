"""Whole objects inside of an object (`x-kubernetes-embedded-resource`): each says what it is.

Source: apiextensions-apiserver's pkg/apiserver/schema/objectmeta/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelearn.api import names
from kubelearn.api.crd.values import children
from kubelearn.api.kind import FieldError
from kubelearn.api.kinds._errors import invalid, required
from kubelearn.api.resource import Obj


def problems(value: Any, schema: Obj) -> list[FieldError]:
    return list(_problems(value, schema, ""))


def _problems(value: Any, schema: Obj, path: str) -> Iterator[FieldError]:
    if schema.get("x-kubernetes-embedded-resource") and isinstance(value, dict):
        for field in ("apiVersion", "kind"):
            yield from _named(value, field, f"{path}.{field}")
    for inner, known, where in children(value, schema, path):
        yield from _problems(inner, known, where)


def _named(value: Obj, field: str, where: str) -> Iterator[FieldError]:
    if field not in value:
        yield required(where, "must not be empty")
        return
    said = value[field]
    if not isinstance(said, str):
        yield invalid(where, said, "must be a string")
    elif not said:
        yield invalid(where, said, "must not be empty")
    elif field == "kind" and (wrong := names.dns1035_label(said.lower())):
        yield invalid(where, said, f"may have mixed case, but should otherwise match: {', '.join(wrong)}")
    elif said.count("/") > 1:
        yield invalid(where, said, f"unexpected GroupVersion string: {said}")
