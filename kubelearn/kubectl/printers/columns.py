"""`-o custom-columns=NAME:.metadata.name,…` and its file form."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from kubelearn.api import jsonpath
from kubelearn.api.resource import Obj
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers.tabwriter import TabWriter

Columns = list[tuple[str, str]]


def parse(spec: str) -> Columns:
    """Header and path of each column. Raises CommandError."""
    if not spec:
        raise CommandError("custom-columns format specified but no custom columns given")
    found: Columns = []
    for part in _split(spec):
        header, colon, path = part.partition(":")
        if not colon or not header:
            raise CommandError(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
        found.append((header, _relaxed(path)))
    return found


def _split(spec: str) -> list[str]:
    """At commas that are not inside brackets: `A:.x[?(@.k=="a,b")],B:.y`."""
    parts, depth, at = [""], 0, 0
    while at < len(spec):
        char = spec[at]
        depth += (char in "[(") - (char in "])")
        if char == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += char
        at += 1
    return parts


def from_file(text: str) -> Columns:
    """A line of headers over a line of paths."""
    lines = text.splitlines()
    if len(lines) < 2:
        raise CommandError("Missing format specification. Expected a header line and a path line")
    headers, paths = lines[0].split(), lines[1].split()
    if len(headers) != len(paths):
        raise CommandError(f"number of headers ({len(headers)}) and field specifications ({len(paths)}) don't match")
    return [(h, _relaxed(p)) for h, p in zip(headers, paths, strict=True)]


def _relaxed(path: str) -> str:
    """As a template; an empty path finds nothing."""
    try:
        return jsonpath.relaxed(path) if path else ""
    except jsonpath.JsonPathError as error:
        raise CommandError(str(error)) from error


class ColumnsPrinter:
    """Each object is a row; a path that is not there prints `<none>`."""

    def __init__(self, columns: Columns, headers: bool = True) -> None:
        self.columns = columns
        self._headers = headers

    def print(self, objs: Sequence[Obj], out: TabWriter) -> None:
        if self._headers:
            out.write("\t".join(header for header, _ in self.columns) + "\n")
            self._headers = False
        for obj in objs:
            out.write("\t".join(self._value(path, obj) for _, path in self.columns) + "\n")

    def _value(self, path: str, obj: Obj) -> str:
        try:
            values = jsonpath.find(path, obj) if path else []
        except jsonpath.JsonPathError as error:  # found only now, as in kubectl: the headers are out already
            raise CommandError(str(error)) from error
        return ",".join(go_value(v) for v in values) if values else "<none>"


def go_value(value: Any) -> str:
    """A value as Go's `%v` prints it."""
    if value is None:
        return "<none>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{k}:{_inner(value[k])}" for k in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_inner(v) for v in value) + "]"
    return re.sub(r"\n", r"\\n", str(value))


def go_syntax(value: Any) -> str:
    """A value as Go's `%#v` prints it."""
    if value is None:
        return "interface {}(nil)"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "map[string]interface {}{" + ", ".join(f'"{k}":{go_syntax(value[k])}' for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(go_syntax, value)) + "}"
    return go_value(value)


def _inner(value: Any) -> str:
    return "<nil>" if value is None else go_value(value)
