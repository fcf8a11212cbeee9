"""Reading objects of unknown shape: each function gives an empty value where the type is wrong.

Structure is checked before a kind's code runs (api.schema); this keeps that code short, and total when it
is called on something else, a test's random object or a record of another version.
"""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj


def text(obj: Any, key: str) -> str:
    found = obj.get(key) if isinstance(obj, dict) else None
    return found if isinstance(found, str) else ""


def number(obj: Any, key: str) -> int | None:
    found = obj.get(key) if isinstance(obj, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def count(obj: Any, key: str) -> int:
    """An integer that is 0 when absent, as Go's are."""
    return number(obj, key) or 0


def flag(obj: Any, key: str) -> bool:
    return isinstance(obj, dict) and obj.get(key) is True


def mapping(obj: Any, *path: str) -> Obj:
    """The object at `path`, or an empty one that is not part of `obj`."""
    for key in path:
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj if isinstance(obj, dict) else {}


def has(obj: Any, key: str) -> bool:
    """Whether a pointer field is set."""
    return isinstance(obj, dict) and obj.get(key) is not None


def objects(obj: Any, key: str) -> list[Obj]:
    """A list of objects, with `{}` in place of what is not one so that indexes stay right."""
    found = obj.get(key) if isinstance(obj, dict) else None
    return [item if isinstance(item, dict) else {} for item in found] if isinstance(found, list) else []


def strings(obj: Any, key: str) -> list[str]:
    found = obj.get(key) if isinstance(obj, dict) else None
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def string_map(obj: Any, key: str) -> dict[str, str]:
    found = obj.get(key) if isinstance(obj, dict) else None
    if not isinstance(found, dict):
        return {}
    return {k: v for k, v in found.items() if isinstance(k, str) and isinstance(v, str)}


def condition(obj: Any, kind: str) -> Obj:
    """The condition of a type in the status; empty without one."""
    found = objects(mapping(obj, "status"), "conditions")
    return next((c for c in found if text(c, "type") == kind), {})


def at(obj: Obj, path: str) -> Any:
    """The value at a dotted path (`spec.replicas`), None where there is none."""
    found: Any = obj
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def name(obj: Any) -> str:
    return text(mapping(obj, "metadata"), "name")


def fill(obj: Any, key: str, value: Any) -> None:
    """Set what is absent or null."""
    if isinstance(obj, dict) and obj.get(key) is None:
        obj[key] = value


def fill_text(obj: Any, key: str, value: str) -> None:
    """Set what is absent or empty: a string that is not a pointer cannot be told apart from "" in Go."""
    if isinstance(obj, dict) and not obj.get(key):
        obj[key] = value


def fill_zero(obj: Any, key: str, value: int) -> None:
    """Set an integer that is absent or 0, where Go cannot tell the two apart."""
    if isinstance(obj, dict) and (obj.get(key) is None or number(obj, key) == 0):
        obj[key] = value


def ensure(obj: Any, key: str) -> Obj:
    """The object at `key`, made when absent; a detached one when something else is there."""
    if not isinstance(obj, dict):
        return {}
    if obj.get(key) is None:
        obj[key] = {}
    return obj[key] if isinstance(obj[key], dict) else {}
