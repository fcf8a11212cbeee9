"""The grammar of kubectl's JSONPath templates: text to nodes. Source: client-go's util/jsonpath/parser.go."""

from __future__ import annotations

import ast as python_ast
import re
from collections.abc import Iterator
from dataclasses import dataclass


class JsonPathError(ValueError):
    """A template that does not parse, or does not apply to the object; the text is client-go's."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    value: int | float | bool


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Wildcard: ...


@dataclass(frozen=True, slots=True)
class Recursive: ...


@dataclass(frozen=True, slots=True)
class Slice:
    """`[start:end:step]`; `single` is `[start]`, whose end was derived."""

    start: int | None
    end: int | None
    step: int | None
    single: bool = False


@dataclass(frozen=True, slots=True)
class Union:
    parts: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """`operator` is `exists` when there is no comparison."""

    left: tuple[Node, ...]
    operator: str
    right: tuple[Node, ...]


Node = Text | Literal | Name | Wildcard | Recursive | Slice | Union | Filter


@dataclass(frozen=True, slots=True)
class Range:
    over: tuple[Node, ...]
    body: tuple[Block, ...]


Block = tuple[Node, ...] | Range

_TERMINATORS = " \t\n\r.,[]$@{}"
_NUMBER = re.compile(r"[+-]?[0-9.]*")
_SLICE = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)")
_KEY = re.compile(r"'([^']*)'")
_KEYWORDS = ("range", "end")


def parse(template: str) -> tuple[Block, ...]:
    """Raises JsonPathError."""
    actions = list(_actions(template))
    blocks, rest = _blocks(actions, 0, 0)
    if rest != len(actions):
        raise JsonPathError("not in range, nothing to end")
    return blocks


def _blocks(actions: list[tuple[Node | str, ...]], at: int, depth: int) -> tuple[tuple[Block, ...], int]:
    """Nest `{range …}` to `{end}`; a range that is not ended goes to the end of the template."""
    out: list[Block] = []
    while at < len(actions):
        first, *others = actions[at] or ("",)
        if first == "end":
            return tuple(out), at + 1 if depth else at
        at += 1
        nodes = tuple(node for node in others if not isinstance(node, str))
        if first == "range":
            body, at = _blocks(actions, at, depth + 1)
            out.append(Range(nodes, body))
        elif not isinstance(first, str):
            out.append((first, *nodes))
        elif not others:
            out.append(())
    return tuple(out), at


def _actions(template: str) -> Iterator[tuple[Node | str, ...]]:
    """Text and what stands in braces, in order; keywords stay strings."""
    at = 0
    while at < len(template):
        brace = template.find("{", at)
        text = template[at:] if brace < 0 else template[at:brace]
        if text:
            yield (Text(text),)
        if brace < 0:
            return
        action = _Action(template, brace + 1)
        yield action.parse()
        at = action.at


def _whole(text: str) -> tuple[Node, ...]:
    """An expression within another: in a filter or a union."""
    nodes = _Action(text + "}", 0).parse()
    for node in nodes:
        if isinstance(node, str):
            raise JsonPathError(f"unrecognized identifier {node}")
    return tuple(node for node in nodes if not isinstance(node, str))


class _Action:
    """One `{…}`; `at` is behind its closing brace once parsed."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self.nodes: list[Node | str] = []

    def parse(self) -> tuple[Node | str, ...]:
        while not self.step():
            pass
        return tuple(self.nodes)

    def step(self) -> bool:
        """Take one element; whether it was the closing brace."""
        rest = self.text[self.at :]
        if rest.startswith("}"):
            self.at += 1
            return True
        if not rest or rest[0] in "\r\n":
            raise JsonPathError("unclosed action")
        c = rest[0]
        if rest.startswith("[?("):
            self.filter()
        elif rest.startswith(".."):
            self.recursive()
        elif c in " @$":
            self.at += 1
        elif c == "[":
            self.array()
        elif c in "\"'":
            self.quoted(c)
        elif c == ".":
            self.at += 1
            self.field()
        elif c in "+-" or c.isdigit():
            self.number()
        elif c.isalnum() or c == "_":
            self.identifier()
        else:
            raise JsonPathError(f"unrecognized character in action: U+{ord(c):04X} '{c}'")
        return False

    def field(self) -> None:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in _TERMINATORS:
            self.at += 2 if self.text[self.at] == "\\" else 1
        name = self.text[start : self.at]
        self.nodes.append(Wildcard() if name == "*" else Name(name.replace("\\", "")))

    def recursive(self) -> None:
        if self.nodes and isinstance(self.nodes[-1], Recursive):
            raise JsonPathError("invalid multiple recursive descent")
        self.at += 2
        self.nodes.append(Recursive())
        following = self.text[self.at : self.at + 1]
        if following.isalnum() or following == "_":
            self.field()

    def identifier(self) -> None:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in _TERMINATORS:
            self.at += 1
        word = self.text[start : self.at]
        if word in ("true", "false"):
            self.nodes.append(Literal(word == "true"))
        elif word in _KEYWORDS:
            self.nodes.append(word)
        else:
            raise JsonPathError(f"unrecognized identifier {word}")

    def number(self) -> None:
        match = _NUMBER.match(self.text, self.at)
        text = match[0] if match else ""
        self.at += len(text)
        try:
            self.nodes.append(Literal(int(text) if "." not in text else float(text)))
        except ValueError:
            raise JsonPathError(f"cannot parse number {text}") from None

    def quoted(self, quote: str) -> None:
        end = self.at + 1
        while True:
            end = self.text.find(quote, end)
            line_end = self.text.find("\n", self.at)
            if end < 0 or -1 < line_end < end:
                raise JsonPathError("unterminated quoted string")
            if self.text[end - 1] != "\\":
                break
            end += 1
        self.nodes.append(Text(_unquote(self.text[self.at + 1 : end], quote)))
        self.at = end + 1

    def array(self) -> None:
        end = self.text.find("]", self.at)
        line_end = self.text.find("\n", self.at)
        if end < 0 or -1 < line_end < end:
            raise JsonPathError("unterminated array")
        text = self.text[self.at + 1 : end]
        self.at = end + 1
        if text == "*":
            text = ":"
        parts = text.split(",")
        if len(parts) > 1:
            self.nodes.append(Union(tuple(_whole(f"[{part.strip(' ')}]") for part in parts)))
        elif key := _KEY.fullmatch(text):
            self.nodes += _whole(f".{key[1]}")
        elif bounds := _SLICE.fullmatch(text):
            self.nodes.append(_bounds(bounds))
        else:
            raise JsonPathError(f"invalid array index {text}")

    def filter(self) -> None:
        end, quote = self.at + 3, ""
        while True:
            c = self.text[end : end + 1]
            if c in ("", "\n"):
                raise JsonPathError("unterminated filter")
            if c in "\"'" and not quote:
                quote = c
            elif c == quote and self.text[end - 1] != "\\":
                quote = ""
            elif c == ")" and not quote:
                break
            end += 1
        if self.text[end + 1 : end + 2] != "]":
            raise JsonPathError("unclosed array expect ]")
        text = self.text[self.at + 3 : end]
        self.at = end + 2
        if match := _COMPARISON.fullmatch(text):
            self.nodes.append(Filter(_whole(match[1]), match[2], _whole(match[3])))
        else:
            self.nodes.append(Filter(_whole(text), "exists", ()))


def _bounds(match: re.Match[str]) -> Slice:
    def number(text: str | None) -> int | None:
        try:
            return int(text.removeprefix(":")) if text and text != ":" else None
        except ValueError:
            raise JsonPathError(f"array index {text} is not a number") from None

    start, end, step = number(match[1]), number(match[2]), number(match[3])
    if not match[2]:
        return Slice(start, (start or 0) + 1, step, single=True)
    return Slice(start, end, step)


def _unquote(text: str, quote: str) -> str:
    """Go's escapes within quotes."""
    if "\\" not in text:
        return text
    try:
        value = python_ast.literal_eval(quote + text + quote)
    except (SyntaxError, ValueError):
        raise JsonPathError("invalid syntax") from None
    return str(value)
