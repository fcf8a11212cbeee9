"""Table columns and cells that several kinds have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubelearn.api import selectors, table
from kubelearn.api.kind import Column
from kubelearn.api.kinds import _read as r
from kubelearn.api.resource import Obj

NONE = "<none>"
UNSET = "<unset>"
MAX_LISTED = 3

NAME_DESCRIPTION = (
    "Name must be unique within a namespace. It is given when an object is created, or generated, and cannot be "
    "changed afterwards."
)
AGE_DESCRIPTION = "When the object was created, by the server's clock."


def age(timestamp: str) -> str:
    """As the table words it, also for what is no time at all."""
    try:
        return table.age(timestamp)
    except (ValueError, TypeError):
        return table.UNKNOWN


def age_cell(obj: Obj) -> str:
    return age(r.text(r.mapping(obj, "metadata"), "creationTimestamp"))


NAME = Column("Name", r.name, format="name", description=NAME_DESCRIPTION)
CREATED_AT = Column(
    "Created At",
    lambda obj: r.mapping(obj, "metadata").get("creationTimestamp"),
    "date",
    description="When the object was created, by the server's clock.",
)
AGE = Column("Age", age_cell, description=AGE_DESCRIPTION)


def text_at(*path: str, default: str = "") -> Callable[[Obj], Any]:
    """A cell that shows the string at a path."""
    *parents, last = path

    def cell(obj: Obj) -> str:
        return r.text(r.mapping(obj, *parents), last) or default

    return cell


def number_at(*path: str) -> Callable[[Obj], Any]:
    *parents, last = path

    def cell(obj: Obj) -> int:
        return r.count(r.mapping(obj, *parents), last)

    return cell


def labels(found: dict[str, str]) -> str:
    """A plain map as a selector: `a=b,c=d`."""
    return ",".join(f"{key}={value}" for key, value in sorted(found.items())) or NONE


def listed(items: list[str], empty: str = NONE) -> str:
    """The first three, and how many more."""
    if not items:
        return empty
    shown = ",".join(items[:MAX_LISTED])
    return f"{shown} + {len(items) - MAX_LISTED} more..." if len(items) > MAX_LISTED else shown


def _containers(key: str, *path: str) -> Callable[[Obj], str]:
    def cell(obj: Obj) -> str:
        return ",".join(r.text(c, key) for c in r.objects(r.mapping(obj, *path), "containers"))

    return cell


def container_columns(*path: str, priority: int = 1) -> tuple[Column, Column]:
    """Names and images of the containers of the pod spec at a path."""
    return (
        Column("Containers", _containers("name", *path), priority=priority, description="Names of the containers."),
        Column("Images", _containers("image", *path), priority=priority, description="Images of the containers."),
    )


def _selector(obj: Obj) -> str:
    try:
        return selectors.format(r.mapping(obj, "spec", "selector"))
    except (KeyError, TypeError, AttributeError):
        return "<error>"


#: What workloads with a pod template show with `-o wide`.
TEMPLATE_COLUMNS = (
    *container_columns("spec", "template", "spec"),
    Column("Selector", _selector, priority=1, description="Label selector of the pods that this object manages."),
)
