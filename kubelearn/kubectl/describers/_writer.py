"""What every describer writes with: levels, labels, times, events. Layout as kubectl's pkg/describe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.api.table import age
from kubelearn.kit import clock
from kubelearn.kubectl.lastapplied import ANNOTATION
from kubelearn.kubectl.printers.table import escape
from kubelearn.kubectl.printers.tabwriter import TabWriter

_MAX_ANNOTATION = 140


class Writer:
    """Lines with tabs between columns; `flush` begins a new alignment."""

    def __init__(self) -> None:
        self._tab = TabWriter(0, 2)
        self._done: list[str] = []

    def line(self, level: int, text: str) -> None:
        self._tab.write("  " * level + escape(text) + "\n")

    def field(self, name: str, value: Any, level: int = 0) -> None:
        self.line(level, f"{name}:\t{value}")

    def raw(self) -> str:
        """What has been written since the last flush, with its tabs."""
        return self._tab.raw()

    def flush(self) -> None:
        self._done.append(self._tab.take())

    def text(self) -> str:
        self.flush()
        return "".join(self._done)


class Sources:
    """Other objects that a description needs. What the server does not have, or does not let us see, is empty."""

    def __init__(
        self,
        get: Callable[..., Awaitable[Obj | None]],
        list_: Callable[..., Awaitable[list[Obj]]],
        serves: Callable[[str], Awaitable[bool]],
    ) -> None:
        self.get = get
        self.list = list_
        self.serves = serves


@dataclass(frozen=True, slots=True)
class Describer:
    """`write` tells of one object; `events` says whether its events follow."""

    write: Callable[[Writer, Obj, Sources], Awaitable[None]]
    events: bool = True


def time(text: str | None) -> str:
    """RFC 1123 with a numeric zone, as Go's time.RFC1123Z."""
    if not text:
        return "<unset>"
    return clock.parse(text).astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S %z")


def labels(out: Writer, title: str, found: Mapping[str, str] | None) -> None:
    multiline(out, title, [f"{k}={v}" for k, v in sorted((found or {}).items())])


def multiline(out: Writer, title: str, texts: Iterable[str]) -> None:
    """The first text beside the title, the others under it."""
    first = True
    for text in texts:
        out.line(0, f"{title}:\t{text}" if first else f"\t{text}")
        first = False
    if first:
        out.line(0, f"{title}:\t<none>")


def annotation_lines(out: Writer, found: Mapping[str, str] | None, title: str = "Annotations") -> None:
    shown = sorted((k, v.removesuffix("\n")) for k, v in (found or {}).items() if k != ANNOTATION)
    if not shown:
        out.line(0, f"{title}:\t<none>")
    for index, (key, value) in enumerate(shown):
        start = f"{title}:\t" if index == 0 else "\t"
        if len(key) + len(value) + 2 > _MAX_ANNOTATION or "\n" in value:
            out.line(0, f"{start}{key}:")
            for part in value.split("\n"):
                out.line(0, f"\t  {_shorten(part)}")
        else:
            out.line(0, f"{start}{key}: {value}")


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_ANNOTATION - 2 else text[: _MAX_ANNOTATION - 2] + "..."


def head(out: Writer, obj: Obj, *, namespaced: bool = True) -> None:
    """Name, namespace, labels and annotations."""
    meta = obj["metadata"]
    out.field("Name", meta.get("name", ""))
    if namespaced:
        out.field("Namespace", meta.get("namespace", ""))
    labels(out, "Labels", meta.get("labels"))
    annotation_lines(out, meta.get("annotations"))


def controller(obj: Obj) -> str:
    """`ReplicaSet/web-7d4`, or empty."""
    for owner in obj["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            return f"{owner['kind']}/{owner['name']}"
    return ""


def quantities(out: Writer, title: str, found: Mapping[str, Any] | None, level: int) -> None:
    if found:
        out.line(level, f"{title}:")
        for name, amount in sorted(found.items()):
            out.field(name, amount, level + 1)


def boolean(value: Any) -> str:
    return "True" if value else "False"


def or_none(text: Any) -> str:
    return str(text) if text else "<none>"


def or_unset(value: Any) -> str:
    return "<unset>" if value is None else str(value)


def boolean_or_unset(value: bool | None) -> str:
    return "<unset>" if value is None else boolean(value)


def go_bool(value: Any) -> str:
    """As Go prints one with %v."""
    return "true" if value else "false"


def pairs(found: Mapping[str, str] | None) -> str:
    """Labels on one line."""
    return ",".join(f"{k}={v}" for k, v in sorted((found or {}).items())) or "<none>"


def zero_time(text: str | None) -> str:
    """A time that, when it is missing, Go shows as its first one."""
    return time(text) if text else "Mon, 01 Jan 0001 00:00:00 +0000"


def conditions(out: Writer, obj: Obj) -> None:
    """Type, status and reason, as workloads show them."""
    found = (obj.get("status") or {}).get("conditions") or []
    if found:
        out.line(0, "Conditions:")
        out.line(1, "Type\tStatus\tReason")
        out.line(1, "----\t------\t------")
        for c in found:
            out.line(1, f"{c.get('type', '')} \t{c.get('status', '')}\t{c.get('reason', '')}")


def events(out: Writer, found: list[Obj]) -> None:
    if not found:
        out.line(0, "Events:\t<none>")
        return
    out.flush()
    out.line(0, "Events:")
    out.line(1, "Type\tReason\tAge\tFrom\tMessage")
    out.line(1, "----\t------\t----\t----\t-------")
    for e in sorted(found, key=lambda e: e.get("lastTimestamp") or ""):
        source = (e.get("source") or {}).get("component") or e.get("reportingComponent") or ""
        place = (e.get("involvedObject") or {}).get("fieldPath")
        message = (f"{place}: " if place else "") + (e.get("message") or "").strip()
        out.line(1, f"{e.get('type', '')}\t{e.get('reason', '')}\t{interval(e)}\t{source}\t{message}")


def interval(event: Obj) -> str:
    """How long ago, and how often over how long."""
    first = age(event.get("eventTime") or event.get("firstTimestamp"))
    series = event.get("series")
    if series:
        return f"{age(series.get('lastObservedTime'))} (x{series.get('count', 0)} over {first})"
    if (event.get("count") or 0) > 1:
        return f"{age(event.get('lastTimestamp'))} (x{event['count']} over {first})"
    return first
