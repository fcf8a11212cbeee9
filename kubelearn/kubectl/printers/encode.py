"""Objects as YAML and JSON, byte for byte as kubectl writes them (sigs.k8s.io/yaml and Go's encoding/json)."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_HTML_PATTERN = re.compile("[<>&\u2028\u2029]")
_BOOLEANS = "y Y yes Yes YES on On ON true True TRUE n N no No NO off Off OFF false False FALSE"
_NUMBERS = ".nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF"
_WORDS = frozenset((*_BOOLEANS.split(), *_NUMBERS.split(), "~", "null", "Null", "NULL", "<<", ""))
_NUMBER = re.compile(
    r"[-+]?(0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|[0-9][0-9_]*"
    r"|([0-9][0-9_]*)?\.?[0-9_]+([eE][-+]?[0-9]{1,2})?|[0-9]+\.([eE][-+]?[0-9]{1,2})?)"
)
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_TIME = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt ]\s*\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?\s*([Zz]|[-+]\d{1,2}(:\d{2})?)?)?")


def to_json(value: Any, indent: int | None = 4) -> str:
    """Keys sorted, four spaces; `<`, `>` and `&` escaped as Go does. No newline at the end."""
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False, separators=separators)
    return _HTML_PATTERN.sub(lambda m: _HTML[m.group()], text)


def to_yaml(value: Any) -> str:
    import yaml

    return str(yaml.dump(value, Dumper=_dumper(), allow_unicode=True, default_flow_style=False))


@functools.cache
def _dumper() -> type[Any]:
    """The C emitter with Go's choice of quotes and order of keys."""
    import yaml

    base: type[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):  # type: ignore[misc]
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def represent_str(dumper: Any, data: str) -> Any:
        style = "|" if "\n" in data else '"' if needs_quotes(data) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def represent_dict(dumper: Any, data: dict[str, Any]) -> Any:
        items = [(key, data[key]) for key in sorted(data, key=_natural)]
        return dumper.represent_mapping("tag:yaml.org,2002:map", items, flow_style=False if items else None)

    Dumper.add_representer(str, represent_str)
    Dumper.add_representer(dict, represent_dict)
    # `needs_quotes` decides what must be quoted; what is left of PyYAML's own opinion are the plain forms we emit
    Dumper.yaml_implicit_resolvers = {}
    for tag, pattern in (
        ("int", r"-?\d+$"),
        ("bool", "(true|false)$"),
        ("null", "null$"),
        ("float", r"-?\d+(\.\d+)?(e[-+]?\d+)?$"),
    ):
        Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), None)
    return Dumper


def needs_quotes(text: str) -> bool:
    """Whether a plain scalar would be read as something other than this string."""
    if text in _WORDS:
        return True
    return text[0] in "+-.0123456789" and any(p.fullmatch(text) for p in (_NUMBER, _BASE_60, _TIME))


def _compare(a: str, b: str) -> int:
    """goyaml.v2's order of keys: letters after everything else, numbers by value."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x == y:
            continue
        if x.isalpha() and y.isalpha():
            return -1 if x < y else 1
        if x.isalpha() or y.isalpha():
            return -1 if y.isalpha() else 1
        an, ai = _digits(a, i)
        bn, bi = _digits(b, i)
        if an != bn:
            return -1 if an < bn else 1
        if ai != bi:
            return -1 if ai < bi else 1
        return -1 if x < y else 1
    return (len(a) > len(b)) - (len(a) < len(b))


def _digits(text: str, at: int) -> tuple[int, int]:
    end = at
    while end < len(text) and text[end].isdecimal():
        end += 1
    return (int(text[at:end]) if end > at else 0), end


_natural = functools.cmp_to_key(_compare)
