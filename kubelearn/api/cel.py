"""Common Expression Language, as Kubernetes' validation rules and admission policies use it.

The language is a library's (`common-expression-language`, the Rust crate `cel`), with the functions of cel-go's and
Kubernetes' extension libraries that it has. It is imported when the first expression is compiled.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import cel


#: A first or middle argument that is a bare name: the variable of a macro, as in `all(x, …)` and `all(i, x, …)`.
_BOUND = re.compile(r"[(,]\s*([_a-zA-Z][_a-zA-Z0-9]*)\s*(?=,)")
_TYPES = frozenset({"bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint"})


class CelError(Exception):
    """An expression that does not compile, or that has no value for these variables."""


class Scope:
    """Variables for several expressions: handing values over takes much longer than evaluating what is said of them."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        import cel

        self.context = cel.Context()
        cel.stdlib.add_stdlib_to_context(self.context)
        for name, function in _FUNCTIONS.items():
            self.context.add_function(name, function)
        for name, value in variables.items():
            self.set(name, value)

    def set(self, name: str, value: Any) -> None:
        self.context.add_variable(name, value)


class Expression:
    """A compiled expression."""

    def __init__(self, text: str) -> None:
        """Raises CelError."""
        import cel

        self.text = text
        try:
            self._program: cel.Program = cel.compile(text)
        except (ValueError, RuntimeError) as error:
            raise CelError(str(error)) from error

    @property
    def names(self) -> set[str]:
        """The variables that must be given: neither those of its own macros, nor names of types."""
        bound = set(_BOUND.findall(self.text))
        return {name for name in self._program.variables() if name not in bound and name not in _TYPES}

    def evaluate(self, variables: Mapping[str, Any] | Scope) -> Any:
        """Raises CelError."""
        scope = variables if isinstance(variables, Scope) else Scope(variables)
        try:
            return self._program.execute(scope.context)
        except KeyError as error:
            raise CelError(f"no such key: {error.args[0]}") from error
        except (ValueError, RuntimeError, TypeError, ArithmeticError, IndexError) as error:
            raise CelError(str(error)) from error


@lru_cache(maxsize=512)
def compiled(text: str) -> Expression:
    """Raises CelError."""
    return Expression(text)


def _is_sorted(values: list[Any]) -> bool:
    return all(a <= b for a, b in itertools.pairwise(values))


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found.group() if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [m.group() for m in re.finditer(pattern, text)]
    return found if limit < 0 else found[:limit]


#: Of Kubernetes' own libraries (lists, regex), what the package lacks.
_FUNCTIONS: dict[str, Callable[..., Any]] = {"isSorted": _is_sorted, "find": _find, "findAll": _find_all}
