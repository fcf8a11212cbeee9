"""The forms of an answer that Accept may ask for: whole, a Table, or metadata only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubelearn.api import table
from kubelearn.api.kind import Column, Kind
from kubelearn.api.resource import Obj
from kubelearn.apiserver import negotiation
from kubelearn.client.transport import Request

_DEFAULT_COLUMNS = (
    Column("Name", lambda o: o["metadata"].get("name", ""), format="name", description="Name must be unique."),
    Column("Age", lambda o: table.age(o["metadata"].get("creationTimestamp")), description="Time since creation."),
)


def wanted(request: Request, *, streaming: bool = False) -> str:
    """`Table`, `PartialObjectMetadata`, `PartialObjectMetadataList` or empty. Raises ApiError 406."""
    return negotiation.chosen(request.headers.get("accept", ""), streaming=streaming).form


def columns(kind: Kind) -> tuple[Column, ...]:
    return kind.columns or _DEFAULT_COLUMNS


def as_table(request: Request, kind: Kind, objs: list[Obj], about: dict[str, Any], *, first: bool = True) -> Obj:
    given = request.param("includeObject") or "Metadata"
    include: table.Include = "None" if given == "None" else "Object" if given == "Object" else "Metadata"
    return table.render(columns(kind), objs, include=include, metadata=about, with_definitions=first)


def watch_shape(request: Request, kind: Kind) -> Callable[[Obj], Obj] | None:
    """What a watch makes of each object; column definitions go with the first Table only."""
    form = wanted(request, streaming=True)
    if form == "Table":
        seen: list[bool] = []

        def shape(obj: Obj) -> Obj:
            first = not seen
            seen.append(True)
            rows = [obj] if "name" in obj["metadata"] else []
            about = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            if "annotations" in obj["metadata"] and not rows:
                about["annotations"] = obj["metadata"]["annotations"]
            return as_table(request, kind, rows, about, first=first)

        return shape
    return table.partial_metadata if form.startswith("Partial") else None
