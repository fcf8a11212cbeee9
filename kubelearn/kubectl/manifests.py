"""Manifests: files, folders and standard input as objects, read as kubectl reads them.

YAML is version 1.1 as goyaml.v2 has it (`y` and `on` are booleans, `10:20` and dates strings), several documents a
file, Lists opened up; errors in kubectl's words. URLs and kustomize directories are refused: everything works offline.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Context, Parsed

_SUFFIXES = {".json", ".yaml", ".yml"}
_NOT_SET = "; if you choose to ignore these errors, turn validation off with --validate=false"
_TRUE = "y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE"
_FALSE = "n|N|no|No|NO|off|Off|OFF|false|False|FALSE"


class NothingToDo(CommandError):
    """The files hold no object; verbs word this for themselves."""


@dataclass(frozen=True, slots=True)
class Document:
    """An object and where it came from: a path, or `STDIN`."""

    object: Obj
    source: str


async def load(ctx: Context, parsed: Parsed, *, validate: bool = True) -> Iterator[Document]:
    """The objects of -f, in order, read one by one so that what comes before a mistake is still done."""
    if parsed.flags.get("kustomize"):
        if parsed["filename"]:
            raise CommandError("only one of -f or -k can be specified")
        raise CommandError("kustomize directories are not supported: build one first and pass the result with -f -")
    names: list[str] = parsed["filename"]
    if not names:
        raise CommandError("must specify one of -f and -k")
    sources: list[tuple[str, Path | None]] = []
    for name in names:
        sources += _sources(name, ctx.cwd, bool(parsed.flags.get("recursive")))
    stdin = (await ctx.stdin.read_all()) if any(path is None for _, path in sources) else b""
    strict = str(parsed.flags.get("validate", "")).lower() in ("strict", "true")
    return _documents(sources, stdin, validate, strict)


def _sources(name: str, cwd: str, recursive: bool) -> list[tuple[str, Path | None]]:
    if name == "-":
        return [("STDIN", None)]
    if name.startswith(("http://", "https://")):
        raise CommandError(f"{name}: URLs are not read; download the file and pass its path")
    path = Path(cwd) / Path(name).expanduser()
    if any(c in name for c in "*?[") and not path.exists():
        matches = sorted(Path(cwd).glob(name)) if not Path(name).is_absolute() else []
        if not matches:
            raise CommandError(f'the path "{name}" does not exist')
        return [(str(Path(name).parent / m.name), m) for m in matches]
    if not path.exists():
        raise CommandError(f'the path "{name}" does not exist')
    if not path.is_dir():
        return [(name, path)]
    candidates = path.rglob("*") if recursive else path.iterdir()
    found = sorted(p for p in candidates if p.is_file() and p.suffix in _SUFFIXES)
    if not found:
        raise CommandError(f"error reading [{name}]: recognized file extensions are [.json .yaml .yml]")
    return [(str(Path(name) / p.relative_to(path)), p) for p in found]


def _documents(
    sources: Sequence[tuple[str, Path | None]], stdin: bytes, validate: bool, strict: bool
) -> Iterator[Document]:
    found = False
    for source, path in sources:
        try:
            data = stdin if path is None else path.read_bytes()
        except OSError as error:
            raise CommandError(f"error reading [{source}]: {(error.strerror or str(error)).lower()}") from error
        for obj in parse(data.decode(errors="replace"), source, validate=validate, strict=strict):
            found = True
            yield Document(obj, source)
    if not found:
        raise NothingToDo("no objects passed")


def parse(text: str, source: str, *, validate: bool = True, strict: bool = False) -> Iterator[Obj]:
    """The objects of a text; `strict` checks those of a List. Raises CommandError."""
    for data in _values(text, source):
        if data is None:
            continue
        if not isinstance(data, dict):
            if validate:
                raise CommandError(
                    f'error validating "{source}": error validating data: invalid object to validate{_NOT_SET}'
                )
            shown = json.dumps(data)
            raise CommandError(
                f"error parsing {source}: couldn't get version/kind; json parse error: json: cannot unmarshal "
                f'{_json_kind(data)} into Go value of type struct {{ APIVersion string "json:\\"apiVersion,omitempty\\""; '
                f'Kind string "json:\\"kind,omitempty\\"" }} ({shown})'
            )
        opened = list(_opened(data, source, validate))
        if strict and str(data["kind"]).endswith("List"):
            _check_items(opened, source)
        yield from opened


def _check_items(items: list[Obj], source: str) -> None:
    from kubelearn.kubectl import validating

    texts = [text for item in items for text in validating.problems(item)]
    if texts:
        shown = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        raise CommandError(f'error validating "{source}": error validating data: {shown}{_NOT_SET}')


def _json_kind(data: Any) -> str:
    return {str: "string", bool: "bool", list: "array"}.get(type(data), "number")


def _opened(obj: Obj, source: str, validate: bool) -> Iterator[Obj]:
    problems = [f"{name} not set" for name in ("apiVersion", "kind") if not obj.get(name)]
    if problems:
        text = problems[0] if len(problems) == 1 else "[" + ", ".join(problems) + "]"
        if validate:
            raise CommandError(f'error validating "{source}": error validating data: {text}{_NOT_SET}')
        raise CommandError(
            f"unable to decode \"{source}\": Object 'Kind' is missing in '{json.dumps(obj, separators=(',', ':'))}'"
        )
    if str(obj["kind"]).endswith("List") and isinstance(obj.get("items"), list):
        for item in obj["items"]:
            yield from _opened(item, source, validate)
        return
    yield obj


def _values(text: str, source: str) -> Iterator[Any]:
    if text.lstrip().startswith("{"):
        try:
            yield from list(_json_values(text))
        except json.JSONDecodeError as error:
            # a flow mapping in YAML also starts with a brace; one that ends too soon is neither
            if error.pos >= len(text.rstrip()):
                raise CommandError(f"error parsing {source}: unexpected EOF") from error
        else:
            return
    for document in split(text):
        yield from_yaml(document, f"error parsing {source}: error converting YAML to JSON: ")


def _json_values(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    at = 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        yield value


def split(text: str) -> Iterator[str]:
    """The documents of a stream: cut at lines of three dashes."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        rest = line[3:].strip() if line.startswith("---") else "x"
        if not rest or rest.startswith("#"):
            yield "".join(lines)
            lines = []
        else:
            lines.append(line)
    yield "".join(lines)


def from_yaml(text: str, prefix: str = "") -> Any:
    """One document as JSON values. Raises CommandError, with goyaml's message after `prefix`."""
    import yaml

    try:
        return _plain(yaml.load(text, _loader()))
    except yaml.MarkedYAMLError as error:
        raise CommandError(f"{prefix}yaml: {_yaml_message(error)}") from error
    except yaml.reader.ReaderError as error:
        raise CommandError(f"{prefix}yaml: {error.reason}") from error


def _yaml_message(error: Any) -> str:
    """goyaml's wording: the problem's line, counted as it counts."""
    import yaml

    line = 0
    if error.problem_mark is not None and error.problem_mark.line:
        line = error.problem_mark.line + isinstance(error, yaml.scanner.ScannerError)
    elif error.context_mark is not None and error.context_mark.line:
        line = error.context_mark.line
    where = f"line {line}: " if line else ""
    return where + (error.problem or "unknown problem parsing YAML content")


def _plain(value: Any) -> Any:
    """Keys as strings, as JSON needs them."""
    if isinstance(value, dict):
        return {_key(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


@functools.cache
def _loader() -> type[Any]:
    import yaml

    base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        pass

    Loader.yaml_implicit_resolvers = {}
    resolvers = (
        ("bool", f"^(?:{_TRUE}|{_FALSE})$", "yYnNtTfFoO"),
        ("null", "^(?:~|null|Null|NULL|)$", "~nN\0"),
        ("merge", "^<<$", "<"),
        ("int", r"^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)$", "-+0123456789"),
        (
            "float",
            r"^[-+]?(?:(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
            "-+0123456789.",
        ),
    )
    for tag, pattern, first in resolvers:
        starts = [""] if first == "\0" else [c if c != "\0" else "" for c in first]
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), starts)

    def construct_bool(loader: Any, node: Any) -> bool:
        return re.fullmatch(_TRUE, loader.construct_scalar(node)) is not None

    def construct_int(loader: Any, node: Any) -> int:
        text = loader.construct_scalar(node).replace("_", "")
        sign = -1 if text.startswith("-") else 1
        digits = text.lstrip("+-")
        if re.fullmatch("0[0-7]+", digits):
            return sign * int(digits, 8)
        return sign * int(digits, 0)

    def construct_float(loader: Any, node: Any) -> float:
        text = loader.construct_scalar(node).lower().replace("_", "")
        value = float(text.replace(".inf", "inf").replace(".nan", "nan"))
        return int(value) if value.is_integer() and abs(value) < 2**53 else value

    def construct_text(loader: Any, node: Any) -> str:
        return str(loader.construct_scalar(node))

    Loader.add_constructor("tag:yaml.org,2002:bool", construct_bool)
    Loader.add_constructor("tag:yaml.org,2002:int", construct_int)
    Loader.add_constructor("tag:yaml.org,2002:float", construct_float)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", construct_text)
    return Loader
