"""JSON to an API type as Go's strict decoder does it: what it complains about, and what it leaves.

The texts are those of sigs.k8s.io/json (a fork of encoding/json) and of the types that decode themselves:
quantities, int-or-string, times, bytes. Only the first type error is reported, as in Go; unknown fields are
all collected, in the order of the document.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from kubelearn.api import quantity
from kubelearn.api.gonames import FIELD_TYPES
from kubelearn.api.resource import Obj
from kubelearn.api.schema import Field, Type
from kubelearn.kit import clock

_DROP: Final = object()
_INT_RANGE = {"int32": 2**31, "int64": 2**63, "": 2**63}


@dataclass(slots=True)
class Check:
    """`unknown` are whole texts, `unknown field "spec.colour"`; `errors` holds at most the first type error."""

    unknown: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.unknown and not self.errors

    def message(self, kind: str, version: str) -> str:
        """What a 400 says, without `strict` only when there is a type error: empty when there is none."""
        text = self.errors[0] if self.errors else strict_text(self.unknown)
        return cannot_be_handled(kind, version, text)


def strict_text(problems: list[str]) -> str:
    """`strict decoding error: unknown field "a", duplicate field "b"`."""
    return "strict decoding error: " + ", ".join(problems)


def cannot_be_handled(kind: str, version: str, why: str) -> str:
    """The server's prefix to any decoding error; `version` without its group."""
    return f'{kind} in version "{version}" cannot be handled as a {kind}: {why}'


def decode(obj: Obj, schema: Type | None) -> tuple[Obj, Check]:
    """The object as decoded, and what was wrong with it; without a schema nothing is wrong."""
    if schema is None:
        return obj, Check()
    decoder = _Decoder()
    out = decoder.value(obj, schema, _Place("", (), "", schema.go_name))
    return (out if isinstance(out, dict) else obj), decoder.check


def json_kind(value: Any) -> str:
    """How encoding/json names a JSON value in an error."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


@dataclass(slots=True, frozen=True)
class _Place:
    """Where the decoder is: Go's innermost struct, its stack of field names, the strict path, the Go type."""

    struct: str
    stack: tuple[str, ...]
    path: str
    go_type: str

    def mismatch(self, what: str) -> str:
        target = f"Go struct field {self.struct}.{'.'.join(self.stack)}" if self.struct else "Go value"
        return f"json: cannot unmarshal {what} into {target} of type {self.go_type}"


class _Decoder:
    def __init__(self) -> None:
        self.check = Check()

    def fail(self, text: str) -> Any:
        if not self.check.errors:
            self.check.errors.append(text)
        return _DROP

    def value(self, value: Any, schema: Type, place: _Place) -> Any:
        if value is None:
            return _DROP
        return _DECODERS[schema.go_kind](self, value, schema, place)

    def object(self, value: Any, schema: Type, place: _Place) -> Any:
        if not isinstance(value, dict):
            return self.fail(place.mismatch(json_kind(value)))
        out: Obj = {}
        struct = schema.name.rpartition(".")[2]
        for key, item in value.items():
            path = f"{place.path}.{key}" if place.path else key
            found = schema.fields.get(key)
            if found is None:
                self.check.unknown.append(f'unknown field "{path}"')
                continue
            kind = found.type
            if item is None:
                continue
            inner = _Place(struct, (*place.stack, key), path, _go_type(schema, found, kind))
            decoded = self.value(item, kind, inner)
            if decoded is not _DROP and not (_omitted_when_empty(found, kind) and not decoded):
                out[key] = decoded
        return out

    def map(self, value: Any, schema: Type, place: _Place) -> Any:
        if not isinstance(value, dict):
            return self.fail(place.mismatch(json_kind(value)))
        items = schema.items
        if items is None:
            return value
        out: Obj = {}
        for key, item in value.items():
            inner = _Place(place.struct, place.stack, f"{place.path}.{key}", items.go_name)
            decoded = self.value(item, items, inner)
            # A null leaves Go's zero value under its key.
            out[key] = _zero(items) if decoded is _DROP else decoded
        return out

    def array(self, value: Any, schema: Type, place: _Place) -> Any:
        if not isinstance(value, list):
            return self.fail(place.mismatch(json_kind(value)))
        items = schema.items
        if items is None:
            return value
        out = []
        for index, item in enumerate(value):
            inner = _Place(place.struct, place.stack, f"{place.path}[{index}]", items.go_name)
            decoded = self.value(item, items, inner)
            out.append(_zero(items) if decoded is _DROP else decoded)
        return out

    def string(self, value: Any, schema: Type, place: _Place) -> Any:
        if schema.is_time:
            return self.time(value, schema)
        if not isinstance(value, str):
            return self.fail(place.mismatch(json_kind(value)))
        if schema.format != "byte":
            return value
        if (at := base64_error(value)) is not None:
            return self.fail(f"illegal base64 data at input byte {at}")
        return base64.b64encode(base64.b64decode(value)).decode()

    def time(self, value: Any, schema: Type) -> Any:
        if not isinstance(value, str):
            return self.fail(f"json: cannot unmarshal {json_kind(value)} into Go value of type string")
        micro = schema.name.endswith("MicroTime")
        if _is_canonical(value, micro):
            return value
        if error := time_error(value, micro):
            return self.fail(error)
        try:
            moment = clock.parse(value).astimezone(UTC)
        except ValueError:  # 30 February: the shape is right, the day is not
            layout = _layout(micro)
            return self.fail(f'parsing time "{value}": day out of range' if layout else value)
        return clock.rfc3339_micro(moment) if micro else clock.rfc3339(moment)

    def integer(self, value: Any, schema: Type, place: _Place) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.fail(place.mismatch(json_kind(value)))
        limit = _INT_RANGE.get(schema.format, 2**63)
        if isinstance(value, float) or not -limit <= value < limit:
            return self.fail(place.mismatch(f"number {value}"))
        return value

    def number(self, value: Any, _schema: Type, place: _Place) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.fail(place.mismatch(json_kind(value)))
        return value

    def boolean(self, value: Any, _schema: Type, place: _Place) -> Any:
        return value if isinstance(value, bool) else self.fail(place.mismatch(json_kind(value)))

    def int_or_string(self, value: Any, _schema: Type, _place: _Place) -> Any:
        if isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.fail(f"json: cannot unmarshal {json_kind(value)} into Go value of type int32")
        if isinstance(value, float) or not -(2**31) <= value < 2**31:
            return self.fail(f"json: cannot unmarshal number {value} into Go value of type int32")
        return value

    def quantity(self, value: Any, _schema: Type, _place: _Place) -> Any:
        if isinstance(value, bool | dict | list):
            return self.fail(quantity.FORMAT_WRONG)
        try:
            return quantity.canonical(value.strip() if isinstance(value, str) else value)
        except ValueError as error:
            return self.fail(str(error))

    def schema(self, value: Any, schema: Type, place: _Place) -> Any:
        """A JSONSchemaProps, a list of them, or whatever else may stand there."""
        if isinstance(value, dict):
            return self.object(value, schema.inner, place)
        if isinstance(value, list):
            return [self.schema(item, schema, place) for item in value]
        return value

    def anything(self, value: Any, _schema: Type, _place: _Place) -> Any:
        return value


_DECODERS: Mapping[str, Callable[[_Decoder, Any, Type, _Place], Any]] = {
    "object": _Decoder.object, "map": _Decoder.map, "array": _Decoder.array, "string": _Decoder.string,
    "integer": _Decoder.integer, "number": _Decoder.number, "boolean": _Decoder.boolean,
    "intOrString": _Decoder.int_or_string, "quantity": _Decoder.quantity, "schema": _Decoder.schema,
    "any": _Decoder.anything,
}  # fmt: skip


@cache
def _go_type(owner: Type, found: Field, kind: Type) -> str:
    """The Go type of a field; what OpenAPI calls a string has a name of its own in Go, often."""
    special = FIELD_TYPES.get(f"{owner.name.rpartition('.')[2]}.{found.name}")
    if special:
        return special
    if kind.go_kind == "map" and kind.items is not None and kind.items.go_kind == "quantity":
        return "v1.ResourceList"
    return kind.go_name


def _omitted_when_empty(found: Field, kind: Type) -> bool:
    return not found.required and kind.go_kind in ("array", "map")


def _zero(schema: Type) -> Any:
    match schema.go_kind:
        case "string":
            return None if schema.is_time or schema.format == "byte" else ""
        case "integer" | "number" | "intOrString":
            return 0
        case "boolean":
            return False
        case "quantity":
            return "0"
        case "object":
            return {}
        case _:
            return None


_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def base64_error(text: str) -> int | None:
    """Where Go's base64.StdEncoding stops, or None; line ends are skipped as it does."""
    try:
        base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        pass
    else:
        return None
    seen = 0  # characters of the current quantum
    for at, c in enumerate(text):
        if c in "\r\n":
            continue
        if c in _ALPHABET:
            seen = (seen + 1) % 4
        elif c != "=" or seen < 2:
            return at
        else:
            return _padding_error(text, at, seen)
    return len(text) - seen


def _padding_error(text: str, at: int, seen: int) -> int:
    rest = [(i, c) for i, c in enumerate(text) if i > at and c not in "\r\n"]
    if seen == 2:
        if not rest:
            return len(text)
        index, c = rest.pop(0)
        if c != "=":
            return index - 1
    return rest[0][0] if rest else len(text)


def _layout(micro: bool) -> str:
    return "2006-01-02T15:04:05.000000Z07:00" if micro else "2006-01-02T15:04:05Z07:00"


_TIME_PARTS = (
    ("2006", r"\d{4}"), ("-", "-"), ("01", r"\d\d"), ("-", "-"), ("02", r"\d\d"), ("T", "T"), ("15", r"\d\d?"),
    (":", ":"), ("04", r"\d\d"), (":", ":"), ("05", r"\d\d(?:[.,]\d+)?"), (".000000", r"\.\d{6}"),
    ("Z07:00", r"Z|[+-]\d\d:\d\d"),
)  # fmt: skip
_RANGES = {"01": (1, 12, "month"), "02": (1, 31, "day"), "15": (0, 23, "hour"), "04": (0, 59, "minute")}


_CANONICAL = r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
_CANONICAL_TIMES = tuple(re.compile(_CANONICAL + end, re.ASCII) for end in ("Z", r"\.\d{6}Z"))


def _is_canonical(text: str, micro: bool) -> bool:
    """Whether a time is written just as it would be answered: true of all but those that people type."""
    if _CANONICAL_TIMES[micro].fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text[:10])
    except ValueError:  # 30 February
        return False
    return True


def time_error(text: str, micro: bool = False) -> str:
    """What Go's time.Parse says of a timestamp, empty when it is fine."""
    rest, layout = text, _layout(micro)
    for element, pattern in _TIME_PARTS:
        if element == ".000000" and not micro:
            continue
        if element == "05" and micro:
            pattern = r"\d\d"
        match = re.match(pattern, rest, re.ASCII)
        if match is None:
            return f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{element}"'
        if element in _RANGES:
            low, high, word = _RANGES[element]
            if not low <= int(match[0]) <= high:
                return f'parsing time "{text}": {word} out of range'
        rest = rest[match.end() :]
    return f'parsing time "{text}": extra text: "{rest}"' if rest else ""
