"""IntOrString amounts: a number of pods, or a percentage of them. Source: apps/validation."""

from __future__ import annotations

import re
from typing import Any

from kubelearn.api import names
from kubelearn.api.kinds._errors import Errors, invalid, nonnegative

_PERCENT = re.compile("[0-9]+%")
_PERCENT_TEXT = names.regex_text(
    "a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%"
)


def int_or_percent(path: str, value: Any) -> Errors:
    if isinstance(value, str):
        return [] if _PERCENT.fullmatch(value) else [invalid(path, value, _PERCENT_TEXT)]
    return nonnegative(path, value if isinstance(value, int) else 0)


def amount(value: Any) -> int:
    """An int or a percentage as a number, 0 when neither."""
    if isinstance(value, str):
        return int(value[:-1]) if _PERCENT.fullmatch(value) else 0
    return value if isinstance(value, int) else 0


def at_most_100_percent(path: str, value: Any) -> Errors:
    if isinstance(value, str) and amount(value) > 100:
        return [invalid(path, value, "must not be greater than 100%")]
    return []
