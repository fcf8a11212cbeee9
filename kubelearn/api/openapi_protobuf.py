"""An OpenAPI v2 document in gnostic's protobuf encoding, the only form in which kubectl asks for v2.

The messages are few and the direction is one, so this is written against the wire format: each encoder
below is one message of gnostic's OpenAPIv2.proto, with its field numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

#: What kubectl sends as Accept; the answer's Content-Type, in which the @ would be no valid media type.
ACCEPT = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


def encode(document: Mapping[str, Any]) -> bytes:
    """`openapi.v2`'s document as a gnostic Document."""
    info = document["info"]
    paths = b"".join(_message(2, _named(path, _path_item(item))) for path, item in document["paths"].items())
    definitions = b"".join(
        _message(1, _named(name, _schema(schema))) for name, schema in document["definitions"].items()
    )
    return b"".join(
        (
            _text(1, document["swagger"]),
            _message(2, _text(1, info["title"]) + _text(2, info["version"])),
            _message(8, paths),
            _message(9, definitions),
        )
    )


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _message(field: int, payload: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(payload)) + payload


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode()) if value else b""


def _flag(field: int, value: bool) -> bytes:
    return _varint(field << 3) + b"\x01" if value else b""


def _named(name: str, value: bytes) -> bytes:
    return _text(1, name) + _message(2, value)


def _any(value: Any) -> bytes:
    """gnostic keeps free-form values as YAML text."""
    return _text(2, yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1 << 20))


def _extensions(field: int, spec: Mapping[str, Any]) -> bytes:
    return b"".join(_message(field, _named(key, _any(value))) for key, value in spec.items() if key.startswith("x-"))


def _schema(spec: Mapping[str, Any]) -> bytes:
    properties = b"".join(
        _message(1, _named(name, _schema(value))) for name, value in spec.get("properties", {}).items()
    )
    parts = [
        _text(1, spec.get("$ref", "")),
        _text(2, spec.get("format", "")),
        _text(3, spec.get("title", "")),
        _text(4, spec.get("description", "")),
        *(_text(19, name) for name in spec.get("required", ())),
        *(_message(20, _any(value)) for value in spec.get("enum", ())),
    ]
    if "additionalProperties" in spec:
        parts.append(_message(21, _message(1, _schema(spec["additionalProperties"]))))
    if "type" in spec:
        parts.append(_message(22, _text(1, spec["type"])))
    if "items" in spec:
        parts.append(_message(23, _message(1, _schema(spec["items"]))))
    if properties:
        parts.append(_message(25, properties))
    parts += [_flag(27, spec.get("readOnly", False)), _extensions(31, spec)]
    return b"".join(parts)


_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}


def _path_item(item: Mapping[str, Any]) -> bytes:
    operations = b"".join(
        _message(number, _operation(item[method])) for method, number in _METHODS.items() if method in item
    )
    return operations + b"".join(_message(9, _parameter(p)) for p in item.get("parameters", ()))


def _operation(operation: Mapping[str, Any]) -> bytes:
    responses = b"".join(
        _message(1, _named(code, _message(1, _text(1, answer["description"]))))
        for code, answer in operation["responses"].items()
    )
    return b"".join(
        (
            _text(5, operation["operationId"]),
            *(_message(8, _parameter(parameter)) for parameter in operation["parameters"]),
            _message(9, responses),
            _extensions(13, operation),
        )
    )


def _parameter(parameter: Mapping[str, Any]) -> bytes:
    """ParametersItem → Parameter → NonBodyParameter → the query's or the path's own message."""
    query = parameter["in"] == "query"
    body = b"".join(
        (
            _flag(1, parameter.get("required", False)),
            _text(2, parameter["in"]),
            _text(4, parameter["name"]),
            _text(6 if query else 5, parameter["type"]),
            _flag(20 if query else 19, parameter.get("uniqueItems", False)),
        )
    )
    return _message(1, _message(2, _message(3 if query else 4, body)))
