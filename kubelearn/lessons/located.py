"""YAML that remembers where each value stood, so that what is wrong with it is said with file and line.

Pure reading: what a lesson means is `model`'s. A repeated key is an error here, which YAML itself lets pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubelearn.kit.errors import KubelearnError


@dataclass(frozen=True, slots=True)
class Located:
    """One value: `file` as the author knows it, `path` the keys that lead to it (`steps[0].checks[1]`)."""

    node: yaml.Node
    file: str
    path: str = ""

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    def error(self, problem: str, hint: str = "") -> KubelearnError:
        place = f"{self.path}: " if self.path else ""
        return KubelearnError(f"{self.file}:{self.line}: {place}{problem}", hint)

    def entries(self) -> dict[str, Located]:
        """A mapping's values; raises KubelearnError for anything else and for a key written twice."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"must be a mapping, not {self._what()}")
        found: dict[str, Located] = {}
        for key, value in self.node.value:
            name = str(key.value)
            if name in found:
                raise Located(key, self.file, self._at(name)).error(f"{name} is written twice")
            found[name] = Located(value, self.file, self._at(name))
        return found

    def mapping(self, required: Set[str], optional: Set[str] = frozenset()) -> dict[str, Located]:
        """`entries` of which all `required` are there, and no other than these and `optional`."""
        found = self.entries()
        for name in sorted(required - set(found)):
            raise self.error(f"{name} is missing")
        known = required | optional
        for name, value in found.items():
            if name not in known:
                raise value.error(f"unknown key {name}", f"known: {', '.join(sorted(known))}")
        return found

    def items(self) -> list[Located]:
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"must be a list, not {self._what()}")
        return [Located(v, self.file, f"{self.path}[{i}]") for i, v in enumerate(self.node.value)]

    def text(self) -> str:
        """A scalar as it is written."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value:
            raise self.error(f"must be text, not {self._what()}")
        return str(self.node.value)

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def integer(self, least: int = 0) -> int:
        value = self.plain()
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.error(f"must be a whole number of at least {least}, not {self._what()}")
        return value

    def plain(self) -> Any:
        """The value as YAML makes it."""
        self._no_repeats()
        try:
            return yaml.constructor.SafeConstructor().construct_document(self.node)
        except (yaml.YAMLError, ValueError) as error:
            raise self.error(f"cannot be read: {error}") from error

    def _no_repeats(self) -> None:
        if isinstance(self.node, yaml.MappingNode):
            for value in self.entries().values():
                value._no_repeats()
        elif isinstance(self.node, yaml.SequenceNode):
            for value in self.items():
                value._no_repeats()

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _what(self) -> str:
        if isinstance(self.node, yaml.ScalarNode):
            return self.node.value or "nothing"
        return "a list" if isinstance(self.node, yaml.SequenceNode) else "a mapping"


def read(path: Path, file: str) -> Located:
    """Raises KubelearnError that names `file`, and the line where YAML could not go on."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except FileNotFoundError as error:
        raise KubelearnError(f"{file} is missing") from error
    except (UnicodeDecodeError, OSError) as error:
        raise KubelearnError(f"{file} cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        said = ", ".join(_words(error))
        raise KubelearnError(f"{file}:{line}: not YAML: {said}") from error
    except yaml.YAMLError as error:
        raise KubelearnError(f"{file}: not YAML: {error}") from error
    if node is None:
        raise KubelearnError(f"{file}:1: is empty")
    return Located(node, file)


def _words(error: yaml.MarkedYAMLError) -> Iterator[str]:
    yield from (text for text in (error.context, error.problem) if text)
