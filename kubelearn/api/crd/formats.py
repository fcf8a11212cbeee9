"""Formats of strings that a structural schema may ask for; one that is not known is not checked.

Source: apiextensions-apiserver's supported formats (pkg/apiserver/validation/formats.go).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import datetime

from kubelearn.kit import clock

_UUID = r"[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}"
_HOST = r"(?=.{1,255}$)([A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*\.?"
_DURATION = r"[-+]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+"


def fits(form: str, value: str) -> bool:
    check = _CHECKS.get(form.replace("-", ""))
    return check is None or check(value)


def _pattern(expression: str) -> Callable[[str], bool]:
    compiled = re.compile(expression, re.IGNORECASE)
    return lambda value: compiled.fullmatch(value) is not None


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            parse(value)
        except (ValueError, binascii.Error):
            return False
        return True

    return check


def _date_time(value: str) -> object:
    if not re.match(r"\d{4}-\d\d-\d\d[Tt ]", value):
        raise ValueError(value)
    return clock.parse(value)


_CHECKS: dict[str, Callable[[str], bool]] = {
    "date": _parses(lambda value: datetime.strptime(value, "%Y-%m-%d")),
    "datetime": _parses(_date_time),
    "duration": _pattern(_DURATION),
    "byte": _parses(lambda value: base64.b64decode(value, validate=True)),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "cidr": _parses(ipaddress.ip_interface),
    "mac": _pattern(r"([0-9a-f]{2}[:-]){5}[0-9a-f]{2}"),
    "uuid": _pattern(_UUID % "[0-9a-f]"),
    "uuid3": _pattern(_UUID % "3"),
    "uuid4": _pattern(_UUID % "4"),
    "uuid5": _pattern(_UUID % "5"),
    "email": _pattern(r"[^@\s<>]+@[^@\s<>]+"),
    "hostname": _pattern(_HOST),
    "uri": _pattern(r"[a-z][a-z0-9+.-]*:\S+"),
    "hexcolor": _pattern(r"#?([0-9a-f]{3}|[0-9a-f]{6})"),
    "isbn10": _pattern(r"(?:\d[- ]?){9}[\dx]"),
    "isbn13": _pattern(r"(?:\d[- ]?){12}\d"),
    "creditcard": _pattern(r"(?:\d[- ]?){12,18}\d"),
    "ssn": _pattern(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "rgbcolor": _pattern(r"rgb\(\s*(\d{1,3}\s*,\s*){2}\d{1,3}\s*\)"),
}
_CHECKS["isbn"] = lambda value: _CHECKS["isbn10"](value) or _CHECKS["isbn13"](value)
