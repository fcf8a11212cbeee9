"""What a name, a label or an annotation may look like, in the words of Kubernetes' validation.

Each function returns the list of complaints about a value, empty when it is fine.
Source: apimachinery's util/validation, api/validation and apis/meta/v1/validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kubelearn.api.kind import FieldError

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = _LABEL + r"(\." + _LABEL + ")*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_ENV_NAME_RELAXED_LOW, _ENV_NAME_RELAXED_HIGH = 0x20, 0x7E

LABEL_MAX, SUBDOMAIN_MAX, PORT_NAME_MAX = 63, 253, 15
ANNOTATIONS_MAX = 256 * 1024

LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
    "end with an alphanumeric character"
)
SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character"
)
LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character"
)
QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character"
)
CONFIG_KEY_TEXT = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
ENV_NAME_TEXT = "a valid environment variable name must consist only of printable ASCII characters other than '='"


def too_long(limit: int) -> str:
    return f"must be no more than {limit} characters"


def regex_text(text: str, pattern: str, *examples: str) -> str:
    """`text (e.g. 'a',  or 'b', regex used for validation is '…')`, as validation.RegexError words it."""
    if not examples:
        return f"{text} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{text} (e.g. {shown}regex used for validation is '{pattern}')"


def _is(pattern: str, value: str) -> bool:
    return re.fullmatch(pattern, value, re.ASCII) is not None


def dns1123_label(value: str) -> list[str]:
    out = [too_long(LABEL_MAX)] if len(value) > LABEL_MAX else []
    if not _is(_LABEL, value):
        only_dots = _is(_SUBDOMAIN, value)  # it would be a label but for its dots
        out.append("must not contain dots" if only_dots else regex_text(LABEL_TEXT, _LABEL, "my-name", "123-abc"))
    return out


def dns1123_subdomain(value: str) -> list[str]:
    out = [too_long(SUBDOMAIN_MAX)] if len(value) > SUBDOMAIN_MAX else []
    if not _is(_SUBDOMAIN, value):
        out.append(regex_text(SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))
    return out


def dns1035_label(value: str) -> list[str]:
    out = [too_long(LABEL_MAX)] if len(value) > LABEL_MAX else []
    if not _is(_LABEL_1035, value):
        out.append(regex_text(LABEL_1035_TEXT, _LABEL_1035, "my-name", "abc-123"))
    return out


def path_segment(value: str) -> list[str]:
    """A name that only has to be usable as one segment of a URL path."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{bad}'" for bad in ("/", "%") if bad in value]


def qualified_name(value: str) -> list[str]:
    """A label or annotation key: `[prefix/]name`."""
    parts = value.split("/")
    example = regex_text(QUALIFIED_TEXT, _QUALIFIED, "MyName", "my.name", "123-abc")
    if len(parts) > 2:
        return [
            "a qualified name " + example + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    out: list[str] = []
    if len(parts) == 2:
        if not parts[0]:
            out.append("prefix part must be non-empty")
        else:
            out += [f"prefix part {text}" for text in dns1123_subdomain(parts[0])]
    name = parts[-1]
    if not name:
        out.append("name part must be non-empty")
    elif len(name) > LABEL_MAX:
        out.append("name part " + too_long(LABEL_MAX))
    if not _is(_QUALIFIED, name):
        out.append("name part " + example)
    return out


def label_value(value: str) -> list[str]:
    out = [too_long(LABEL_MAX)] if len(value) > LABEL_MAX else []
    if not _is(_LABEL_VALUE, value):
        out.append(regex_text(LABEL_VALUE_TEXT, _LABEL_VALUE, "MyValue", "my_value", "12345"))
    return out


def config_map_key(value: str) -> list[str]:
    out = [too_long(SUBDOMAIN_MAX)] if len(value) > SUBDOMAIN_MAX else []
    if not _is(_CONFIG_KEY, value):
        out.append(regex_text(CONFIG_KEY_TEXT, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return out + _not_dots(value)


def env_var_name(value: str) -> list[str]:
    """A container's environment variable: since 1.34 any printable ASCII but `=`."""
    if not value:
        return ["environment variable name must be non-empty"]
    fine = all(_ENV_NAME_RELAXED_LOW <= ord(c) <= _ENV_NAME_RELAXED_HIGH and c != "=" for c in value)
    return [] if fine else [ENV_NAME_TEXT]


def _not_dots(value: str) -> list[str]:
    if value in (".", ".."):
        return [f"must not be '{value}'"]
    return ["must not start with '..'"] if value.startswith("..") else []


def port_name(value: str) -> list[str]:
    """An IANA service name, which container and Service target ports use."""
    out = [too_long(PORT_NAME_MAX)] if len(value) > PORT_NAME_MAX else []
    if not _is("[-a-z0-9]+", value):
        out.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        out.append("must contain at least one letter (a-z)")
    if "--" in value:
        out.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        out.append("must not begin or end with a hyphen")
    return out


def port_number(value: int) -> list[str]:
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


#: `Kind.name_rule` to its check.
RULES: Mapping[str, Callable[[str], list[str]]] = {
    "dns1123subdomain": dns1123_subdomain,
    "dns1123label": dns1123_label,
    "dns1035label": dns1035_label,
    "path-segment": path_segment,
}


def check(rule: str, value: str, *, prefix: bool = False) -> list[str]:
    """Complaints about an object's name; with `prefix` it is a generateName, whose end may be a dash."""
    if prefix and value.endswith("-") and len(value) > 1:
        value = value[:-1] + "a"
    return RULES[rule](value)


def quote(value: str) -> str:
    """Go's %q for what occurs in names."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _invalid(field: str, value: str, texts: list[str]) -> list[FieldError]:
    return [FieldError(field, "FieldValueInvalid", f"Invalid value: {quote(value)}: {text}") for text in texts]


def label_map(found: Mapping[str, Any] | None, field: str) -> list[FieldError]:
    """Errors of a map of labels at the path `field`, ordered by key."""
    out: list[FieldError] = []
    for key, value in sorted((found or {}).items()):
        out += _invalid(field, key, qualified_name(key))
        out += _invalid(field, value, label_value(value))
    return out


def annotation_map(found: Mapping[str, Any] | None, field: str) -> list[FieldError]:
    """Errors of a map of annotations at the path `field`: keys, and the total size."""
    out: list[FieldError] = []
    size = 0
    for key, value in sorted((found or {}).items()):
        out += _invalid(field, key, qualified_name(key.lower()))
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_MAX:
        text = f"Too long: may not be more than {ANNOTATIONS_MAX} bytes"
        out.append(FieldError(field, "FieldValueTooLong", text))
    return out
