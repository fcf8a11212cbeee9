"""kubectl's JSONPath: templates such as `{range .items[*]}{.metadata.name}{"\\n"}{end}`, and lone paths.

A dialect of its own (client-go's util/jsonpath), so parsed and evaluated as there, with its messages.
Parsing is in `_jsonpath_parser`; here is what a template yields for an object. Used by `get -o jsonpath`,
`custom-columns`, `wait --for=jsonpath`, `--sort-by` and the lessons' checks.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from kubelearn.api import _jsonpath_parser as ast
from kubelearn.api._jsonpath_parser import JsonPathError, Node
from kubelearn.api.gonames import go_value

__all__ = ["JsonPathError", "check", "evaluate", "find", "relaxed"]

_parse = lru_cache(maxsize=256)(ast.parse)


def evaluate(template: str, obj: Any, *, allow_missing: bool = True) -> str:
    """The text of a template; `{}` marks its expressions. Raises JsonPathError. kubectl get allows missing
    keys (they print as nothing), `wait` and `custom-columns` do not need to."""
    results = _Evaluation(allow_missing).template(_parse(template), obj)
    return "".join(" ".join(map(_text, values)) for values in results)


def check(template: str) -> None:
    """Raises JsonPathError for a template that no object could be printed with."""
    _parse(template)


def find(path: str, obj: Any, *, allow_missing: bool = True) -> list[Any]:
    """The values at a path in any of the forms that `relaxed` takes."""
    results = _Evaluation(allow_missing).template(_parse(relaxed(path)), obj)
    return [value for values in results for value in values]


def relaxed(path: str) -> str:
    """`a.b`, `.a.b`, `{a.b}` and `{.a.b}` all become `{.a.b}`, as get's custom-columns and sort-by take them."""
    if not path:
        return path
    inner = path[1:-1] if path.startswith("{") and path.endswith("}") else path
    if not inner or "{" in inner or "}" in inner:
        raise JsonPathError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        )
    return "{." + inner.removeprefix(".") + "}"


def _text(value: Any) -> str:
    """A value as Go prints it: scalars bare, lists and maps as JSON with sorted keys."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    if isinstance(value, float):
        return f"{value:g}" if value != int(value) or abs(value) >= 1e21 else str(int(value))
    return json.dumps(value)


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    names = {str: "string", bool: "bool", int: "int64", float: "float64"}
    return names.get(type(value), "<nil>")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return value if isinstance(value, list) else []


class _Evaluation:
    """One run of a template: nodes map a list of values to a list of values."""

    def __init__(self, allow_missing: bool) -> None:
        self.allow_missing = allow_missing

    def template(self, blocks: Sequence[ast.Block], obj: Any) -> Iterator[list[Any]]:
        for block in blocks:
            if isinstance(block, ast.Range):
                for value in self.nodes(block.over, [obj]):
                    yield from self.template(block.body, value)
            else:
                yield self.nodes(block, [obj])

    def nodes(self, nodes: Sequence[Node], values: list[Any]) -> list[Any]:
        for node in nodes:
            values = self.node(node, values)
        return values

    def node(self, node: Node, values: list[Any]) -> list[Any]:
        match node:
            case ast.Text(text):
                return [text]
            case ast.Literal(value):
                return [value]
            case ast.Name(name):
                return self.field(name, values)
            case ast.Slice():
                return [item for value in values if value is not None for item in _slice(node, value)]
            case ast.Filter():
                return [item for value in values for item in self.filter(node, value)]
            case ast.Union(parts):
                return [item for part in parts for item in self.nodes(part, values)]
            case ast.Wildcard():
                return [item for value in values for item in _children(value)]
            case ast.Recursive():
                return _descend(values)

    def field(self, name: str, values: list[Any]) -> list[Any]:
        if not values:
            return []
        found = [value[name] for value in values if isinstance(value, dict) and name in value]
        if not found and not self.allow_missing:
            raise JsonPathError(f"{name} is not found")
        return found

    def filter(self, node: ast.Filter, value: Any) -> Iterator[Any]:
        if not isinstance(value, list):
            raise JsonPathError(f"{go_value(value)} is not array or slice and cannot be filtered")
        for item in value:
            try:
                lefts = self.nodes(node.left, [item])
            except JsonPathError:
                if node.operator != "exists":
                    raise
                continue
            if node.operator == "exists":
                if lefts:
                    yield item
                continue
            rights = self.nodes(node.right, [item]) if lefts else []
            if len(lefts) > 1 or len(rights) > 1:
                raise JsonPathError("can only compare one element at a time")
            if rights and _compare(node.operator, lefts[0], rights[0]):
                yield item


def _descend(values: list[Any]) -> list[Any]:
    out: list[Any] = []
    for value in values:
        if inner := _children(value):
            out.append(value)
            out += _descend(inner)
    return out


def _slice(node: ast.Slice, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise JsonPathError(f"{_go_type(value)} is not array or slice")
    size = len(value)
    start = node.start or 0
    end = size if node.end is None else node.end
    if start < 0:
        start += size
    if end < 0 or (end == 0 and node.single):
        end += size
    if start == end:
        return []
    if not 0 <= start < size:
        raise JsonPathError(f"array index out of bounds: index {start}, length {size}")
    if not 0 <= end <= size:
        raise JsonPathError(f"array index out of bounds: index {end - 1}, length {size}")
    if start > end:
        raise JsonPathError(f"starting index {start} is greater than ending index {end}")
    if node.step is not None and node.step <= 0:
        raise JsonPathError("step must be > 0")
    return value[start : end : node.step or 1]


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def _compare(symbol: str, left: Any, right: Any) -> bool:
    compare = _OPERATORS.get(symbol)
    if compare is None:
        raise JsonPathError(f"unrecognized filter operator {symbol}")
    if not isinstance(left, str | bool | int | float) or not isinstance(right, str | bool | int | float):
        raise JsonPathError("invalid type for comparison")
    if type(left) is not type(right):
        raise JsonPathError("incompatible types for comparison")
    if isinstance(left, bool) and symbol not in ("==", "!="):
        raise JsonPathError("invalid type for comparison")
    return compare(left, right)
