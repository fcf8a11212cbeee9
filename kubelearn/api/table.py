"""Server-side printing: objects to a `meta.k8s.io/v1` Table, and ages as kubectl words them.

A kind's columns say how a cell is computed; nothing here knows any kind. The clock of one rendering is
the same for every cell, and may be in the past (rewind).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Literal

from kubelearn.api.kind import Column
from kubelearn.api.resource import Obj
from kubelearn.kit import clock

Include = Literal["None", "Metadata", "Object"]

_now: ContextVar[datetime | None] = ContextVar("kubelearn-table-now", default=None)

UNKNOWN = "<unknown>"


@contextmanager
def at(now: datetime) -> Iterator[None]:
    """Within this, ages are counted up to `now`."""
    token = _now.set(now)
    try:
        yield
    finally:
        _now.reset(token)


def age(timestamp: str | None, now: datetime | None = None) -> str:
    """Time since an RFC 3339 timestamp; `<unknown>` without one. `now` defaults to that of the rendering."""
    if not timestamp:
        return UNKNOWN
    until = now or _now.get() or clock.utc_now()
    return human_duration((until - clock.parse(timestamp)).total_seconds())


def _two(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}{small}{small_unit}" if small else f"{big}{big_unit}"


def human_duration(seconds: float) -> str:
    """`5s`, `2m3s`, `5h`, `3d4h`, `2y11d` (apimachinery's duration.HumanDuration)."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def short_human_duration(seconds: float) -> str:
    """One unit only: `5s`, `2m`, `5h`, `3d` (duration.ShortHumanDuration)."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    for limit, divisor, unit in ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h"), (86400 * 365, 86400, "d")):
        if whole < limit:
            return f"{whole // divisor}{unit}"
    return f"{whole // (86400 * 365)}y"


def definitions(columns: Iterable[Column]) -> list[Obj]:
    return [
        {
            "name": c.name, "type": c.type, "format": c.format, "description": c.description,
            "priority": c.priority,
        }
        for c in columns
    ]  # fmt: skip


def partial_metadata(obj: Obj) -> Obj:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj.get("metadata", {}),
    }


def _row(columns: Sequence[Column], obj: Obj, include: Include) -> Obj:
    row: dict[str, Any] = {"cells": [column.cell(obj) for column in columns]}
    if include == "Metadata":
        row["object"] = partial_metadata(obj)
    elif include == "Object":
        row["object"] = obj
    return row


def render(
    columns: Sequence[Column], objs: Iterable[Obj], now: datetime | None = None, *,
    include: Include = "Metadata", metadata: Obj | None = None, with_definitions: bool = True,
) -> Obj:  # fmt: skip
    """The Table; `metadata` is the list's (resourceVersion, continue). A watch sends definitions only once."""
    with at(now or clock.utc_now()):
        rows = [_row(columns, obj, include) for obj in objs]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata or {},
        "columnDefinitions": definitions(columns) if with_definitions else None,
        "rows": rows,
    }
