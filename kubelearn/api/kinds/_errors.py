"""Field errors in the words of apimachinery's util/validation/field, values spelt as Go's encoding does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kubelearn.api import names
from kubelearn.api.kind import FieldError

IMMUTABLE = "field is immutable"
NEGATIVE = "must be greater than or equal to 0"
MAX_INT32 = 2**31 - 1

Errors = list[FieldError]


def show(value: Any) -> str:
    """A value inside a message: strings quoted, everything else as JSON; maps of strings sorted, as Go does."""
    if isinstance(value, str):
        return names.quote(value)
    is_map = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=is_map, default=str)


def required(field: str, detail: str = "") -> FieldError:
    return FieldError(field, "FieldValueRequired", "Required value" + (f": {detail}" if detail else ""))


def invalid(field: str, value: Any, detail: str) -> FieldError:
    return FieldError(field, "FieldValueInvalid", f"Invalid value: {show(value)}: {detail}")


def type_invalid(field: str, value: Any, detail: str) -> FieldError:
    return FieldError(field, "FieldValueTypeInvalid", f"Invalid value: {show(value)}: {detail}")


def unsupported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    """`supported` in the order in which Kubernetes lists it (a sorted set, mostly)."""
    listed = ", ".join(names.quote(item) for item in supported)
    detail = f": supported values: {listed}" if listed else ""
    return FieldError(field, "FieldValueNotSupported", f"Unsupported value: {show(value)}{detail}")


def duplicate(field: str, value: Any) -> FieldError:
    return FieldError(field, "FieldValueDuplicate", f"Duplicate value: {show(value)}")


def forbidden(field: str, detail: str) -> FieldError:
    return FieldError(field, "FieldValueForbidden", f"Forbidden: {detail}")


def not_found(field: str, value: Any) -> FieldError:
    return FieldError(field, "FieldValueNotFound", f"Not found: {show(value)}")


def too_long(field: str, limit: int) -> FieldError:
    return FieldError(field, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def all_invalid(field: str, value: Any, details: Iterable[str]) -> Errors:
    return [invalid(field, value, detail) for detail in details]


def nonnegative(field: str, value: int | None) -> Errors:
    return [invalid(field, value, NEGATIVE)] if value is not None and value < 0 else []


def immutable(field: str, new: Any, old: Any) -> Errors:
    return [] if new == old else [invalid(field, new, IMMUTABLE)]


def choice(field: str, value: str, supported: tuple[str, ...]) -> Errors:
    """A required enumeration."""
    if not value:
        return [required(field)]
    return [] if value in supported else [unsupported(field, value, supported)]


def port(field: str, value: int) -> Errors:
    return all_invalid(field, value, names.port_number(value))


def port_or_name(field: str, value: Any) -> Errors:
    """An IntOrString that names a port."""
    if isinstance(value, str):
        return all_invalid(field, value, names.port_name(value))
    return port(field, value if isinstance(value, int) else 0)


def label(field: str, value: str) -> Errors:
    return all_invalid(field, value, names.dns1123_label(value))


def subdomain(field: str, value: str) -> Errors:
    return all_invalid(field, value, names.dns1123_subdomain(value))
