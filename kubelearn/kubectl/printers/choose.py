"""The printer that the output flags ask for, for whole objects. Tables are `table.TablePrinter`'s."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kubelearn.api import jsonpath
from kubelearn.api.resource import Obj
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers import columns, encode
from kubelearn.kubectl.printers.tabwriter import TabWriter

#: In kubectl's words, for the message on an unknown format.
ALLOWED = (
    "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,"
    "jsonpath-file,kyaml,name,template,templatefile,wide,yaml"
)
#: The same where there are no tables.
ALLOWED_RESULTS = ALLOWED.replace("custom-columns,custom-columns-file,", "").replace("wide,", "")
_PREFIXES = (
    "jsonpath-as-json", "jsonpath-file", "jsonpath", "custom-columns-file", "custom-columns",
    "go-template-file", "go-template", "templatefile", "template",
)  # fmt: skip
_FROM_FILE = {"jsonpath-file", "custom-columns-file", "go-template-file", "templatefile"}

Print = Callable[[Obj, Callable[[str], None]], None]


def format_of(output: str, template: str = "") -> tuple[str, str]:
    """`jsonpath={.x}` to ("jsonpath", "{.x}"); the argument may also come from --template."""
    for prefix in _PREFIXES:
        if output.startswith(prefix):
            return prefix, output[len(prefix) :].removeprefix("=") or template
    return output, ""


def printer(output: str, template: str = "", *, headers: bool = True, cwd: str = ".", allowed: str = ALLOWED) -> Print:
    """Prints one object (a List as kubectl prints lists). Raises CommandError."""
    kind, argument = format_of(output, template)
    if kind in _FROM_FILE and argument:
        argument = _read(argument, cwd, kind)
    makers: Mapping[str, Callable[[], Print]] = {
        "json": lambda: _json,
        "yaml": _Yaml,
        "name": lambda: _name,
        "jsonpath": lambda: _jsonpath(argument),
        "jsonpath-file": lambda: _jsonpath(argument),
        "jsonpath-as-json": lambda: _jsonpath_json(argument),
        "custom-columns": lambda: _columns(columns.parse(argument), headers),
        "custom-columns-file": lambda: _columns(columns.from_file(argument), headers),
    }
    if kind in makers:
        return makers[kind]()
    if "template" in kind and kind in _PREFIXES:
        return _go_template(argument)
    raise CommandError(
        f'unable to match a printer suitable for the output format "{output}", allowed formats are: {allowed}'
    )


def _go_template(template: str) -> Print:
    from kubelearn.kubectl.printers import gotemplate

    if not template:
        raise CommandError("template format specified but no template given")
    parsed = gotemplate.parse(template)

    def print_one(obj: Obj, out: Callable[[str], None]) -> None:
        out(gotemplate.execute(parsed, obj))

    return print_one


def _read(path: str, cwd: str, kind: str) -> str:
    try:
        return (Path(cwd) / path).read_text()
    except OSError as error:
        flag = "template" if kind == "custom-columns-file" else "--template"
        raise CommandError(f"error reading {flag} {path}, open {path}: {(error.strerror or '').lower()}\n") from error


def items_of(obj: Obj) -> list[Obj]:
    return obj["items"] if isinstance(obj.get("items"), list) else [obj]


def _json(obj: Obj, out: Callable[[str], None]) -> None:
    out(encode.to_json(obj) + "\n")


class _Yaml:
    """Documents after the first are set off by a line of dashes."""

    def __init__(self) -> None:
        self._first = True

    def __call__(self, obj: Obj, out: Callable[[str], None]) -> None:
        out(("" if self._first else "---\n") + encode.to_yaml(obj))
        self._first = False


def qualified_kind(obj: Obj) -> str:
    """`deployment.apps`, `pod`: as `-o name` and messages put it."""
    group = obj.get("apiVersion", "").rpartition("/")[0]
    kind = obj.get("kind", "").lower() or "<unknown>"
    return f"{kind}.{group}" if group else kind


def name_of(obj: Obj) -> str:
    return f"{qualified_kind(obj)}/{obj.get('metadata', {}).get('name', '')}"


def _name(obj: Obj, out: Callable[[str], None]) -> None:
    for item in items_of(obj):
        out(name_of(item) + "\n")


def _jsonpath(template: str) -> Print:
    if not template:
        raise CommandError("template format specified but no template given")

    def print_one(obj: Obj, out: Callable[[str], None]) -> None:
        try:
            out(jsonpath.evaluate(template, obj))
        except jsonpath.JsonPathError as error:
            raise _jsonpath_failure(template, error, obj) from error

    return print_one


def _jsonpath_failure(template: str, error: Exception, obj: Obj) -> CommandError:
    """kubectl finds mistakes of the template first; what an object does not have, it reports with the object."""
    try:
        jsonpath.check(template)
    except jsonpath.JsonPathError:
        return CommandError(f"error parsing jsonpath {template}, {error}\n")
    return CommandError(
        f'error executing jsonpath "{template}": Error executing template: {error}. Printing more information for '
        f"debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n"
        f"\t\t{columns.go_syntax(obj)}\n\n"
    )


def _jsonpath_json(template: str) -> Print:
    if not template:
        raise CommandError("template format specified but no template given")

    def print_one(obj: Obj, out: Callable[[str], None]) -> None:
        try:
            out(encode.to_json(jsonpath.find(template, obj)) + "\n")
        except jsonpath.JsonPathError as error:
            raise _jsonpath_failure(template, error, obj) from error

    return print_one


def _columns(found: columns.Columns, headers: bool) -> Print:
    made = columns.ColumnsPrinter(found, headers)
    writer = TabWriter(remember=True)

    def print_one(obj: Obj, out: Callable[[str], None]) -> None:
        try:
            made.print(items_of(obj), writer)
        finally:
            out(writer.take())

    return print_one


def without_managed_fields(obj: Any) -> Any:
    """A copy without metadata.managedFields, of a List for every item."""
    if isinstance(obj.get("items"), list):
        return {**obj, "items": [without_managed_fields(item) for item in obj["items"]]}
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {k: v for k, v in meta.items() if k != "managedFields"}}
