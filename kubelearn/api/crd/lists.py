"""Lists that are sets or maps have no element twice. Source: apiextensions-apiserver's …/schema/listtype."""

from __future__ import annotations

from typing import Any

import orjson

from kubelearn.api.crd.values import children
from kubelearn.api.kind import FieldError
from kubelearn.api.kinds._errors import Errors, duplicate
from kubelearn.api.resource import Obj


def problems(value: Any, schema: Obj, path: str = "") -> list[FieldError]:
    out: Errors = []
    if isinstance(value, list):
        out += _duplicates(value, schema, path)
    for inner, known, where in children(value, schema, path):
        out += problems(inner, known, where)
    return out


def _duplicates(value: list[Any], schema: Obj, path: str) -> Errors:
    kind = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if kind == "set":
        told = value
    elif kind == "map" and all(isinstance(item, dict) for item in value):
        told = [{key: item[key] for key in keys if key in item} for item in value]
    else:
        return []
    out: Errors = []
    seen: set[bytes] = set()
    for index, item in enumerate(told):
        mark = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
        if mark in seen:
            out.append(duplicate(f"{path}[{index}]", item))
        seen.add(mark)
    return out
