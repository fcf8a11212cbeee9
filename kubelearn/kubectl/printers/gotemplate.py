"""`-o go-template`: the part of Go's text/template that people use with kubectl.

Fields, `range`, `if`/`else`, `with`, variables, pipelines, and the functions below; `define` and `block` are refused.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers.columns import go_value

_ACTION = re.compile(r"\{\{(- )?(.*?)( -)?\}\}", re.S)
_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?)|(?P<punct>:=|[()|,=])'
    r"|(?P<word>[$.\w]+))"
)


_KEYWORDS = (
    "range",
    "if",
    "with",
    "else",
    "end",
    "define",
    "block",
    "template",
    "break",
    "continue",
    "true",
    "false",
    "nil",
)


@dataclass(slots=True)
class Block:
    """Text, an action's expression, or a control structure with its bodies."""

    kind: str
    text: str = ""
    body: list[Block] = field(default_factory=list)
    otherwise: list[Block] = field(default_factory=list)


def parse(template: str) -> list[Block]:
    """Raises CommandError on a template that is not understood."""
    try:
        return _parsed(template)
    except _NotUnderstoodError as error:
        line = template.count("\n", 0, error.at) + 1
        raise CommandError(f"error parsing template {template}, template: output:{line}: {error.why}") from error


class _NotUnderstoodError(Exception):
    """What is wrong, and where in the template."""

    def __init__(self, why: str, at: int = 0) -> None:
        super().__init__(why)
        self.why, self.at = why, at


def _parsed(template: str) -> list[Block]:
    root: list[Block] = []
    stack: list[tuple[Block | None, list[Block]]] = [(None, root)]
    position = 0
    trim = False
    for match in _ACTION.finditer(template):
        _text(stack[-1][1], template[position : match.start()], trim, bool(match.group(1)))
        position, trim = match.end(), bool(match.group(3))
        _check(match.group(2), match.start())
        _action(match.group(2).strip(), stack)
    if "{{" in template[position:]:
        raise _NotUnderstoodError("unclosed action", position + template[position:].index("{{"))
    _text(stack[-1][1], template[position:], trim, False)
    if len(stack) > 1:
        raise _NotUnderstoodError("unexpected EOF", len(template))
    return root


def _check(action: str, at: int) -> None:
    """Whether every word that should be a function is one."""
    if action.strip().startswith("/*"):
        return
    for token in _TOKEN.finditer(action):
        word = token.group("word") or ""
        if word and word[0] not in ".$" and word not in _FUNCTIONS and word not in _KEYWORDS:
            raise _NotUnderstoodError(f'function "{word}" not defined', at)


def _error(why: str) -> _NotUnderstoodError:
    return _NotUnderstoodError(why)


def _text(body: list[Block], text: str, left: bool, right: bool) -> None:
    text = text.lstrip() if left else text
    text = text.rstrip() if right else text
    if text:
        body.append(Block("text", text))


def _action(text: str, stack: list[tuple[Block | None, list[Block]]]) -> None:
    word, _, rest = text.partition(" ")
    if text.startswith("/*"):
        return
    if word in ("define", "block", "template", "break", "continue"):
        raise _error(f"{word} is not supported")
    if word in ("range", "if", "with"):
        block = Block(word, rest.strip())
        stack[-1][1].append(block)
        stack.append((block, block.body))
    elif word == "else":
        owner = stack[-1][0]
        if owner is None:
            raise _error("unexpected {{else}}")
        stack[-1] = (owner, owner.otherwise)
        if rest.strip():  # `else if`: a block of its own, which the same `end` closes
            word, _, condition = rest.strip().partition(" ")
            chained = Block(word, condition.strip())
            owner.otherwise.append(chained)
            stack[-1] = (chained, chained.body)
    elif word == "end":
        if stack.pop()[0] is None:
            raise _error("unexpected {{end}}")
    else:
        stack[-1][1].append(Block("print", text))


def execute(template: list[Block], data: Any) -> str:
    """Raises CommandError when a function is given what it cannot use."""
    try:
        return _Run(data).blocks(template, data)
    except _NotUnderstoodError as error:
        raise CommandError(f"error executing template: {error.why}") from error
    except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        raise CommandError(f"error executing template: {error}") from error


def _truth(value: Any) -> bool:
    return bool(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            raise CommandError(f"error executing template: index out of range: {key}")
    return value


def _text_of(value: Any) -> str:
    """As Go prints it; a string as it is, line ends too."""
    return value if isinstance(value, str) else go_value(value)


def _printf(form: str, *values: Any) -> str:
    shown = [v if isinstance(v, int | float) and not isinstance(v, bool) else _text_of(v) for v in values]
    return re.sub("%[-+0-9.]*[vt]", "%s", form) % tuple(shown)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": lambda *v: next((x for x in v if not _truth(x)), v[-1]),
    "or": lambda *v: next((x for x in v if _truth(x)), v[-1]),
    "not": lambda v: not _truth(v),
    "len": len,
    "index": _index,
    "eq": lambda a, *others: any(a == b for b in others),
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "print": lambda *v: "".join(map(_text_of, v)),
    "println": lambda *v: " ".join(map(_text_of, v)) + "\n",
    "printf": _printf,
    "base64decode": lambda v: base64.b64decode(v).decode(errors="replace"),
    "exists": lambda v, *keys: _exists(v, *keys),
}


def _exists(value: Any, *keys: Any) -> bool:
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True


class _Run:
    def __init__(self, root: Any) -> None:
        self._variables: dict[str, Any] = {"$": root}

    def blocks(self, body: list[Block], dot: Any) -> str:
        return "".join(self._block(block, dot) for block in body)

    def _block(self, block: Block, dot: Any) -> str:
        if block.kind == "text":
            return block.text
        names, expression = self._assignment(block.text)
        value = self._pipeline(expression, dot)
        if block.kind == "range":
            return self._range(block, value, names, dot)
        for name in names:
            self._variables[name] = value
        if block.kind == "print":
            return "" if names else _shown(value)
        if _truth(value):
            return self.blocks(block.body, value if block.kind == "with" else dot)
        return self.blocks(block.otherwise, dot)

    def _range(self, block: Block, value: Any, names: list[str], dot: Any) -> str:
        pairs = sorted(value.items()) if isinstance(value, Mapping) else list(enumerate(value or []))
        if not pairs:
            return self.blocks(block.otherwise, dot)
        out = []
        for key, item in pairs:
            if names:
                self._variables[names[-1]] = item
            if len(names) > 1:
                self._variables[names[0]] = key
            out.append(self.blocks(block.body, item))
        return "".join(out)

    @staticmethod
    def _assignment(text: str) -> tuple[list[str], str]:
        match = re.match(r"((?:\$\w+\s*,\s*)?\$\w+)\s*:?=\s*(.*)", text, re.S)
        if match is None:
            return [], text
        return [name.strip() for name in match.group(1).split(",")], match.group(2)

    def _pipeline(self, text: str, dot: Any) -> Any:
        tokens = [m for m in _TOKEN.finditer(text) if m.group().strip()]
        value, at = self._command(tokens, 0, dot, [])
        while at < len(tokens) and tokens[at].group("punct") == "|":
            value, at = self._command(tokens, at + 1, dot, [value])
        if at < len(tokens):
            raise _error(f"unexpected {tokens[at].group().strip()!r} in {text!r}")
        return value

    def _command(self, tokens: list[re.Match[str]], at: int, dot: Any, piped: list[Any]) -> tuple[Any, int]:
        values: list[Any] = []
        function: str | None = None
        while at < len(tokens) and tokens[at].group("punct") not in ("|", ")"):
            token = tokens[at]
            at += 1
            if token.group("punct") == "(":
                value, at = self._parenthesised(tokens, at, dot)
            elif not values and function is None and token.group("word") in _FUNCTIONS:
                function = token.group("word")
                continue
            else:
                value = self._operand(token, dot)
            values.append(value)
        if function is not None:
            return _FUNCTIONS[function](*values, *piped), at
        return (values[0] if values else None), at

    def _parenthesised(self, tokens: list[re.Match[str]], at: int, dot: Any) -> tuple[Any, int]:
        """The pipeline up to the closing parenthesis, and the fields behind it: `(index .items 0).kind`."""
        value, at = self._command(tokens, at, dot, [])
        while at < len(tokens) and tokens[at].group("punct") == "|":
            value, at = self._command(tokens, at + 1, dot, [value])
        if at >= len(tokens):
            raise _error("unclosed left paren")
        close = tokens[at]
        at += 1
        field = tokens[at] if at < len(tokens) else None
        word = (field.group("word") or "") if field is not None else ""
        if field is not None and word.startswith(".") and field.start() == close.end():
            for key in word.split(".")[1:]:
                value = value.get(key) if isinstance(value, Mapping) else None
            at += 1
        return value, at

    def _operand(self, token: re.Match[str], dot: Any) -> Any:
        if (text := token.group("string")) is not None:
            return text[1:-1].encode().decode("unicode_escape") if text[0] == '"' else text[1:-1]
        if (number := token.group("number")) is not None:
            return float(number) if "." in number else int(number)
        word = token.group("word") or ""
        constants: dict[str, Any] = {"true": True, "false": False, "nil": None, ".": dot}
        if word in constants:
            return constants[word]
        first, *path = word.split(".")
        if first.startswith("$"):
            value = self._variables.get(first)
        elif first:
            raise _error(f'function "{first}" not defined')
        else:
            value = dot
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


def _shown(value: Any) -> str:
    return "<no value>" if value is None else _text_of(value)
