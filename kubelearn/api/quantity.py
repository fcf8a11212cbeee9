"""Resource quantities: `100m`, `1.5Gi`, `2e3`. Exact, in Decimal.

Source: apimachinery's api/resource, whose canonical form and error texts these are.
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal
from functools import lru_cache
from typing import Literal

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_WRONG = "unable to parse quantity's suffix"
NUMBER_WRONG = "unable to parse numeric part of quantity"

_SHAPE = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_NANO = Decimal("1e-9")
_MAX = Decimal(2**63 - 1)
# Wide enough for the largest value with nine decimals, whatever the caller's own context is.
_CONTEXT = Context(prec=64)


def _interpret(suffix: str) -> tuple[Decimal, Format]:
    if suffix in _DECIMAL:
        return Decimal(1).scaleb(_DECIMAL[suffix], _CONTEXT), "DecimalSI"
    if suffix in _BINARY:
        return Decimal(2 ** _BINARY[suffix]), "BinarySI"
    if len(suffix) > 1 and suffix[0] in "eE" and re.fullmatch("[+-]?[0-9]{1,3}", suffix[1:]):
        return Decimal(1).scaleb(int(suffix[1:]), _CONTEXT), "DecimalExponent"
    raise ValueError(SUFFIX_WRONG)


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[Decimal, Format]:
    match = _SHAPE.fullmatch(text) if text else None
    if match is None:
        raise ValueError(FORMAT_WRONG)
    sign, whole, fraction, suffix = match.groups()
    if not whole and not fraction and not suffix:
        raise ValueError(FORMAT_WRONG if not sign else NUMBER_WRONG)
    scale, format_ = _interpret(suffix)
    number = Decimal(f"{sign}{whole or '0'}.{fraction or '0'}")
    value = _CONTEXT.multiply(number, scale)
    # What is finer than a nano is rounded away from zero; what is larger than an int64 is capped.
    if abs(value) < _MAX:
        value = value.quantize(_NANO, ROUND_UP, _CONTEXT)
    return max(-_MAX, min(_MAX, value)), format_


def parse(text: str | int | float) -> Decimal:
    """The value; a number, as YAML may give one, is read as its text. Raises ValueError with Kubernetes' text."""
    return _parse(text if isinstance(text, str) else str(text))[0]


def format_of(text: str | int | float) -> Format:
    """The family of suffixes that a quantity was written in, and is written back in."""
    return _parse(text if isinstance(text, str) else str(text))[1]


def _decimal(value: Decimal, style: Format) -> str:
    _sign, digits, exponent = value.normalize(_CONTEXT).as_tuple()
    assert isinstance(exponent, int), "a quantity is finite"
    mantissa = int("".join(map(str, digits))) * 10 ** (exponent % 3)
    exponent -= exponent % 3
    if style == "DecimalSI" and exponent > 18:
        mantissa, exponent = mantissa * 10 ** (exponent - 18), 18
    sign = "-" if value < 0 else ""
    if style == "DecimalSI":
        return f"{sign}{mantissa}{_DECIMAL_SUFFIX[exponent]}"
    return f"{sign}{mantissa}" + (f"e{exponent}" if exponent else "")


def format(value: Decimal, style: Format = "DecimalSI") -> str:
    """The canonical text: no fraction, the largest suffix that loses nothing."""
    if not value:
        return "0"
    if style != "BinarySI" or -1024 < value < 1024 or value != value.to_integral_value():
        return _decimal(value, "DecimalSI" if style == "BinarySI" else style)
    whole, power = int(value), 0
    while whole % 1024 == 0 and power < 60:
        whole, power = whole // 1024, power + 10
    suffix = next((name for name, exponent in _BINARY.items() if exponent == power), "")
    return f"{whole}{suffix}"


def canonical(text: str | int | float) -> str:
    """`0.5` → `500m`, `1024Mi` → `1Gi`, `1000m` → `1`."""
    return format(parse(text), format_of(text))


def compare(a: str | int | float, b: str | int | float) -> int:
    """-1, 0 or 1."""
    left, right = parse(a), parse(b)
    return (left > right) - (left < right)


def milli(text: str | int | float) -> int:
    """In thousandths, rounded up: how CPU is counted."""
    return int((parse(text) * 1000).to_integral_value(ROUND_UP))


def value(text: str | int | float) -> int:
    """In units, rounded up: how memory is counted."""
    return int(parse(text).to_integral_value(ROUND_UP))
