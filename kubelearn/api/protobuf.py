"""Kubernetes' protobuf form of objects, decoded: what typed clients (kubectl create, run, scale …) send.

A body is `k8s\\0` and a runtime.Unknown: the type's name and the encoded object. Field numbers are the official ones
(`protobuf_tags.json`, made by tools/protobuf_tags.py). Answers are always JSON, which these clients accept too.
Source: the Kubernetes documentation, "API concepts", Protobuf encoding.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from kubelearn.api import schema
from kubelearn.api.resource import Obj
from kubelearn.kit import clock

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_WORD = (1 << 64) - 1
_META = "k8s.io.apimachinery.pkg.apis.meta.v1."
_DOUBLE, _INT64, _INT32, _BOOL, _STRING, _MESSAGE, _BYTES = 1, 3, 5, 8, 9, 11, 12


class ProtobufError(ValueError):
    """The body is not what it says it is."""


@cache
def _tags() -> dict[str, dict[str, list[Any]]]:
    found: dict[str, dict[str, list[Any]]] = orjson.loads(Path(__file__).with_name("protobuf_tags.json").read_bytes())
    return found


def decode(body: bytes) -> Obj:
    """The object in JSON form, with apiVersion and kind. Raises ProtobufError."""
    if not body.startswith(_MAGIC):
        raise ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        unknown = dict(_fields(body[len(_MAGIC) :]))
        names = dict(_fields(unknown.get(1, b"")))
        api_version, kind = names.get(1, b"").decode(), names.get(2, b"").decode()
        found = schema.for_kind(*_group_version(api_version), kind)
        message = _message_name(api_version, kind)
        if message not in _tags():
            raise ProtobufError(f'no kind "{kind}" is registered for version "{api_version}"')
        return {"apiVersion": api_version, "kind": kind, **_message(unknown.get(2, b""), message, found)}
    except ProtobufError:
        raise
    except (IndexError, struct.error, ValueError, AttributeError, TypeError, OverflowError, OSError) as error:
        # Texts that are no UTF-8 or no JSON, times out of range, a value of another wire type than its field's.
        raise ProtobufError(f"the protobuf message is damaged: {error}") from error


def _group_version(api_version: str) -> tuple[str, str]:
    group, _, version = api_version.rpartition("/")
    return group, version


def _message_name(api_version: str, kind: str) -> str:
    group, version = _group_version(api_version)
    if kind == "DeleteOptions":
        return _META + kind
    return f"k8s.io.api.{group.partition('.')[0] or 'core'}.{version}.{kind}"


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field: an int, or bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
        elif wire == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ProtobufError("the protobuf message is cut off")
            yield key >> 3, data[at : at + size]
            at += size
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            yield key >> 3, data[at : at + size]
            at += size
        else:
            raise ProtobufError(f"unknown wire type {wire}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value & _WORD, at
        if shift > 63:
            raise ProtobufError("a number is too long")


def _message(data: bytes, name: str, known: schema.Type | None) -> Obj:
    """One message as an object. Fields that JSON has in the parent (Go's inlined structs) are put there."""
    special = _SPECIAL.get(name.rpartition(".")[2]) if name.startswith("k8s.io.apimachinery.") else None
    if special is not None:
        found: Obj = special(data)
        return found
    out: Obj = {}
    tags = _tags().get(name, {})
    for number, value in _fields(data):
        row = tags.get(str(number))
        if row is None:
            continue
        field, kind, type_name, repeated = row
        inner = known.fields.get(field) if known is not None else None
        if kind == "map":
            _map_entry(out.setdefault(field, {}), value, type_name, inner)
        elif kind == _MESSAGE and known is not None and inner is None and not repeated:
            out.update(_message(value, type_name, known))
        else:
            one = _value(value, kind, type_name, _element(inner, repeated))
            if repeated:
                out.setdefault(field, []).append(one)
            elif not _is_unset(one, field, known):
                out[field] = one
    return out


def _element(found: schema.Field | None, repeated: bool) -> schema.Type | None:
    if found is None:
        return None
    return found.type.items if repeated else found.type


def _is_unset(value: Any, field: str, known: schema.Type | None) -> bool:
    """Go writes zero values of fields that are not pointers; JSON leaves out the optional ones."""
    if value is None:
        return True
    if value not in ("", 0, {}) or value is False:
        return False
    found = known.fields.get(field) if known is not None else None
    return found is not None and not found.required and value != 0 and value != {}


def _map_entry(out: Obj, entry: bytes, value_type: list[Any], found: schema.Field | None) -> None:
    parts = dict(_fields(entry))
    inner = found.type.items if found is not None else None
    kind, type_name = value_type
    empty: Any = b"" if kind in (_STRING, _BYTES, _MESSAGE) else 0
    out[parts.get(1, b"").decode()] = _value(parts.get(2, empty), kind, type_name, inner)


def _value(value: Any, kind: int, type_name: str, known: schema.Type | None) -> Any:
    if kind == _MESSAGE:
        return _message(value, type_name, known)
    if kind == _STRING:
        return value.decode()
    if kind == _BYTES:
        return base64.b64encode(value).decode()
    if kind == _BOOL:
        return bool(value)
    if kind in (_INT32, _INT64):
        return value - (1 << 64) if value >= 1 << 63 else value
    if kind == _DOUBLE:
        return struct.unpack("<d", value)[0]
    return value


def _time(data: bytes, *, micro: bool = False) -> Any:
    parts = dict(_fields(data))
    seconds = parts.get(1, 0)
    if not seconds:
        return None
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=parts.get(2, 0) // 1000)
    return clock.rfc3339_micro(at) if micro else clock.rfc3339(at)


def _int_or_string(data: bytes) -> Any:
    parts = dict(_fields(data))
    return parts.get(3, b"").decode() if parts.get(1) else parts.get(2, 0)


def _json(data: bytes) -> Any:
    raw = dict(_fields(data)).get(1, b"")
    return orjson.loads(raw) if raw else None


_SPECIAL: dict[str, Any] = {
    "Time": _time,
    "MicroTime": lambda data: _time(data, micro=True),
    "IntOrString": _int_or_string,
    "Quantity": lambda data: dict(_fields(data)).get(1, b"").decode(),
    "FieldsV1": _json,
    "RawExtension": _json,
    "Verbs": lambda data: [v.decode() for _, v in _fields(data)],
}
