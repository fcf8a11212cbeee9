"""What makes a schema structural, and what else a CustomResourceDefinition may not say in one.

Source: apiextensions-apiserver's pkg/apiserver/schema/validation.go and pkg/apis/apiextensions/validation; KEP-1979.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubelearn.api import cel, decoding
from kubelearn.api.crd import rules, validation, values
from kubelearn.api.kind import FieldError
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import forbidden, invalid, required, unsupported
from kubelearn.api.resource import Obj
from kubelearn.api.schema import SCHEMA_PROPS, named

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_EMBEDDED = "x-kubernetes-embedded-resource"
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_UNSUPPORTED = ("$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties")
#: What a schema under a junctor may not say, because the structure is said outside of it, and what it must be instead.
_STRUCTURE = {
    "type": "empty", "additionalProperties": "undefined", "default": "undefined", "title": "empty",
    "description": "empty", "nullable": "false", "x-kubernetes-preserve-unknown-fields": "false",
    "x-kubernetes-embedded-resource": "false", "x-kubernetes-int-or-string": "false",
    "x-kubernetes-list-map-keys": "empty", "x-kubernetes-list-type": "undefined",
    "x-kubernetes-map-type": "undefined", "x-kubernetes-validations": "empty",
}  # fmt: skip
_WHERE = {"root": "at the root", "field": "for specified object fields", "item": "for specified array items"}
_LIST_TYPES = ("atomic", "map", "set")
_MAP_TYPES = ("atomic", "granular")
_INT_OR_STRING_TYPES = [{"type": "integer"}, {"type": "string"}]


def problems(schema: Obj, path: str) -> list[FieldError]:
    """What is wrong with an `openAPIV3Schema` at `path`; nothing of what the decoder has refused before."""
    if decoding.decode(schema, named(SCHEMA_PROPS))[1].errors:
        return []
    return list(_schema(schema, path, "root"))


def _schema(schema: Any, path: str, level: str) -> Iterator[FieldError]:
    if not isinstance(schema, dict):
        return
    kind = r.text(schema, "type")
    yield from _vocabulary(schema, path)
    if not kind:
        yield from _untyped(schema, path, level)
    elif kind not in _TYPES:
        yield unsupported(f"{path}.type", kind, _TYPES)
    elif level == "root" and kind != "object":
        yield invalid(f"{path}.type", kind, "must be object at the root")
    if kind == "array" and schema.get("items") is None:
        yield required(f"{path}.items", "must be specified")
    if level == "root" and schema.get("additionalProperties"):
        yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
    yield from _lists(schema, path)
    yield from _map_keys(schema, path)
    yield from _loose(schema, path)
    yield from _pattern(schema, path)
    yield from _junctors(schema, path)
    if level == "root" or schema.get("x-kubernetes-embedded-resource"):
        yield from _metadata(schema, path)
    if "default" in schema:
        yield from _default(schema, f"{path}.default")
    yield from _rules(schema, f"{path}.{rules.RULES}")
    for name, inner in r.mapping(schema, "properties").items():
        yield from _schema(inner, f"{path}.properties[{name}]", "field")
    yield from _schema(schema.get("items"), f"{path}.items", "item")
    yield from _schema(schema.get("additionalProperties"), f"{path}.additionalProperties", "field")


def _untyped(schema: Obj, path: str, level: str) -> Iterator[FieldError]:
    if schema.get("x-kubernetes-embedded-resource"):
        yield required(f"{path}.type", "must be object if x-kubernetes-embedded-resource is true")
    elif not schema.get("x-kubernetes-int-or-string") and not schema.get("x-kubernetes-preserve-unknown-fields"):
        yield required(f"{path}.type", f"must not be empty {_WHERE[level]}")


def _loose(schema: Obj, path: str) -> Iterator[FieldError]:
    """What a value that is a whole object, or a number or a string, may say besides."""
    for word in ("x-kubernetes-preserve-unknown-fields", _EMBEDDED):
        if schema.get("x-kubernetes-int-or-string") and schema.get(word):
            yield invalid(f"{path}.{word}", True, "must be false if x-kubernetes-int-or-string is true")
    if not schema.get(_EMBEDDED):
        return
    kind = r.text(schema, "type")
    if kind not in ("", "object"):
        yield invalid(f"{path}.type", kind, f"must be object if {_EMBEDDED} is true")
    if schema.get("additionalProperties"):
        yield forbidden(f"{path}.additionalProperties", f"must not be used if {_EMBEDDED} is set")
    if not schema.get("x-kubernetes-preserve-unknown-fields") and not schema.get("properties"):
        text = f"must not be empty if {_EMBEDDED} is true without x-kubernetes-preserve-unknown-fields"
        yield required(f"{path}.properties", text)


def _pattern(schema: Obj, path: str) -> Iterator[FieldError]:
    pattern = r.text(schema, "pattern")
    try:
        re.compile(pattern)
    except re.error as error:
        text = f"must be a valid regular expression, but isn't: error parsing regexp: {error.msg}: `{pattern}`"
        yield invalid(f"{path}.pattern", pattern, text)


def _vocabulary(schema: Obj, path: str) -> Iterator[FieldError]:
    for word in _UNSUPPORTED:
        if schema.get(word):
            yield forbidden(f"{path}.{word}", f"{word} is not supported")
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{path}.uniqueItems", text)
    if schema.get("additionalProperties") is False:
        yield forbidden(f"{path}.additionalProperties", "additionalProperties cannot be set to false")
    if schema.get("properties") and schema.get("additionalProperties"):
        yield forbidden(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive")
    if schema.get("type") == "null":
        yield forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list):
        yield forbidden(f"{path}.items", "items must be a schema object and not an array")
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        yield invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")


def _lists(schema: Obj, path: str) -> Iterator[FieldError]:
    kind, list_type = schema.get("type"), schema.get("x-kubernetes-list-type")
    keys = r.strings(schema, "x-kubernetes-list-map-keys")
    if list_type is not None:
        where = f"{path}.x-kubernetes-list-type"
        if kind != "array":
            yield invalid(f"{path}.type", kind or "", "must be array if x-kubernetes-list-type is specified")
        if list_type not in _LIST_TYPES:
            yield unsupported(where, list_type, _LIST_TYPES)
        if list_type == "map" and not keys:
            yield required(f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map")
    if keys and list_type != "map":
        if list_type is None:
            yield required(f"{path}.x-kubernetes-list-type", "must be map if x-kubernetes-list-map-keys is non-empty")
        else:
            text = "must be map if x-kubernetes-list-map-keys is non-empty"
            yield invalid(f"{path}.x-kubernetes-list-type", list_type, text)
    map_type = schema.get("x-kubernetes-map-type")
    if map_type is not None:
        if kind != "object":
            yield invalid(f"{path}.type", kind or "", "must be object if x-kubernetes-map-type is specified")
        if map_type not in _MAP_TYPES:
            yield unsupported(f"{path}.x-kubernetes-map-type", map_type, _MAP_TYPES)


def _map_keys(schema: Obj, path: str) -> Iterator[FieldError]:
    """Items of a set are compared as a whole; the keys of a map list are always there."""
    items, list_type = r.mapping(schema, "items"), schema.get("x-kubernetes-list-type")
    if list_type == "set":
        inner = {"array": "x-kubernetes-list-type", "object": "x-kubernetes-map-type"}.get(r.text(items, "type"))
        usual = "atomic" if inner == "x-kubernetes-list-type" else None
        if inner and items.get(inner, usual) != "atomic":
            text = "must be atomic as item of a list with x-kubernetes-list-type=set"
            yield invalid(f"{path}.items.{inner}", items.get("x-kubernetes-list-type"), text)
    if list_type != "map":
        return
    for key in r.strings(schema, "x-kubernetes-list-map-keys"):
        found, where = r.mapping(items, "properties", key), f"{path}.items.properties[{key}]"
        if found.get("nullable"):
            text = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
            yield forbidden(f"{where}.nullable", text)
        if found and "default" not in found and key not in r.strings(items, "required"):
            text = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield required(f"{where}.default", text)


def _junctors(schema: Obj, path: str) -> Iterator[FieldError]:
    for word in _JUNCTORS:
        if word == "anyOf" and schema.get("x-kubernetes-int-or-string") and schema.get(word) == _INT_OR_STRING_TYPES:
            continue
        for index, inner in enumerate(r.objects(schema, word)):
            yield from _under_junctor(inner, f"{path}.{word}[{index}]", schema)
    if banned := r.mapping(schema, "not"):
        yield from _under_junctor(banned, f"{path}.not", schema)


def _under_junctor(inner: Obj, path: str, outer: Obj) -> Iterator[FieldError]:
    loose = outer.get("x-kubernetes-int-or-string", False)
    yield from _pattern(inner, path)
    for word, wanted in _STRUCTURE.items():
        said = word in inner if wanted == "undefined" else inner.get(word)
        if said and not (loose and word == "type"):
            yield forbidden(f"{path}.{word}", f"must be {wanted} to be structural")
    for name, field in r.mapping(inner, "properties").items():
        known = r.mapping(outer, "properties").get(name)
        if known is None:
            where = f"{path.rpartition('.')[0]}.properties[{name}]"
            yield required(where, f"because it is defined in {path}.properties[{name}]")
        yield from _under_junctor(field, f"{path}.properties[{name}]", known or {})


def _metadata(schema: Obj, path: str) -> Iterator[FieldError]:
    properties = r.mapping(schema, "properties")
    for name, wanted in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        kind = r.text(properties.get(name), "type")
        if kind not in ("", wanted):
            yield invalid(f"{path}.properties[{name}].type", kind, f"must be {wanted}")
    extra = set(r.mapping(properties, "metadata", "properties")) - {"name", "generateName"}
    if extra:
        text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield forbidden(f"{path}.properties[metadata]", text)


def _default(schema: Obj, path: str) -> Iterator[FieldError]:
    bare = {key: value for key, value in schema.items() if key != "default"}
    unknown = values.prune({"": schema["default"]}, {"type": "object", "properties": {"": bare}})
    if unknown:
        listed = ", ".join(f'"{name.lstrip(".")}"' for name in unknown)
        yield invalid(path, schema["default"], f"must not have unknown fields: [{listed}]")
    yield from validation.problems(schema["default"], bare, path)


_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")


def _rules(schema: Obj, path: str) -> Iterator[FieldError]:
    for index, rule in enumerate(r.objects(schema, rules.RULES)):
        where = f"{path}[{index}]"
        if not r.text(rule, "rule").strip():
            yield required(f"{where}.rule", "rule is not specified")
            continue
        if "message" in rule and not str(rule["message"]).strip():
            yield invalid(f"{where}.message", rule["message"], "message must be non-empty if specified")
        elif "\n" in str(rule.get("message", "")):
            yield invalid(f"{where}.message", rule["message"], "message must not contain line breaks")
        if "reason" in rule and rule["reason"] not in _REASONS:
            yield unsupported(f"{where}.reason", rule["reason"], _REASONS)
        try:
            cel.compiled(rule["rule"])
        except cel.CelError as error:
            yield invalid(f"{where}.rule", rule["rule"], f"compilation failed: {error}")
