"""Find the extensions of a registry: one module per extension, one descriptor exported by each.

A registry is a package; its members are the modules in it whose names do not start with an underscore.
`names` imports nothing, so that a command line can list fifty verbs and import the one it runs.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class DiscoveryError(Exception):
    """A module of a registry lacks its descriptor, exports a wrong type, or repeats a name."""


def names(package: str) -> list[str]:
    """Module names of `package`, sorted, underscores as dashes: the names users see."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise DiscoveryError(f"{package} is not a package")
    found = pkgutil.iter_modules([str(Path(p)) for p in spec.submodule_search_locations])
    return sorted(m.name.replace("_", "-") for m in found if not m.name.startswith("_"))


def load(package: str, name: str, export: str, of: type[T]) -> T:
    """The descriptor `export` of one module; raises DiscoveryError if it is missing or of another type."""
    module_name = f"{package}.{name.replace('-', '_')}"
    value = getattr(importlib.import_module(module_name), export, None)
    if not isinstance(value, of):
        raise DiscoveryError(f"{module_name} must export {export}, a {of.__name__}")
    return value


def discover(package: str, export: str, of: type[T]) -> dict[str, T]:
    """All descriptors of a registry by module name; the same descriptor under two names is an error."""
    found = {name: load(package, name, export, of) for name in names(package)}
    if len({id(v) for v in found.values()}) != len(found):
        raise DiscoveryError(f"{package}: two modules export the same {export}")
    return found
