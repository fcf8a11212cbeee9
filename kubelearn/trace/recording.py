"""Recordings: a cluster's story as JSON lines, to be replayed without a cluster, for a talk or a bug report.

The first line is a header, each further line one write: its span, and the object after it (null: deleted).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from kubelearn.api.resource import Obj
from kubelearn.kit.errors import KubelearnError
from kubelearn.trace.chain import Change, ParseKey, Span, Target, decode, from_object, span_of, to_object

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    span: Span
    object: Obj | None


def entry_of(event: Change, parse_key: ParseKey) -> Entry:
    span = span_of(event, parse_key)
    if span.type == "DELETED":
        return Entry(span, None)
    obj = decode(event.kv.value)
    obj["metadata"] = {**obj["metadata"], "resourceVersion": str(span.revision)}
    return Entry(span, obj)


def header(cluster: str, version: str) -> bytes:
    return orjson.dumps({"kubelearn": "recording", "format": FORMAT, "cluster": cluster, "version": version})


def write(entries: Iterable[Entry], cluster: str = "", version: str = "") -> Iterator[bytes]:
    """Lines, each with its newline."""
    yield header(cluster, version) + b"\n"
    for entry in entries:
        yield orjson.dumps({"span": to_object(entry.span)["spec"], "object": entry.object}) + b"\n"


def read(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Raises KubelearnError that names the line when the file is no recording."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    for number, line in numbered:
        data = _line(number, line)
        if number == 1:
            if data.get("kubelearn") != "recording" or data.get("format") != FORMAT:
                raise KubelearnError(
                    "this file is not a recording that this version can read",
                    "make one with: kubelearn record FILE",
                )
            continue
        try:
            yield Entry(from_object({"spec": data["span"]}), data["object"])
        except (KeyError, TypeError, ValueError) as error:
            raise _bad(number, f"{type(error).__name__}: {error}") from error


def _line(number: int, line: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _bad(number, str(error)) from error
    if not isinstance(data, dict):
        raise _bad(number, "not an object")
    return data


def _bad(number: int, why: str) -> KubelearnError:
    return KubelearnError(f"line {number} of the recording is damaged: {why}", "cut the file off before that line")


def state_at(entries: Iterable[Entry], revision: int) -> dict[Target, Obj]:
    """The objects as they were at `revision`."""
    state: dict[Target, Obj] = {}
    for entry in entries:
        if entry.span.revision > revision:
            break
        if entry.object is None:
            state.pop(entry.span.target, None)
        else:
            state[entry.span.target] = entry.object
    return state


async def replay(
    entries: Iterable[Entry],
    speed: float = 1.0,
    longest_pause: float = 2.0,
    sleep: Callable[[float], Any] = asyncio.sleep,
) -> AsyncIterator[Entry]:
    """Entries at their own pace times `speed`, no pause longer than `longest_pause` seconds."""
    last: float | None = None
    for entry in entries:
        if last is not None and entry.span.cause.at > last:
            await sleep(min((entry.span.cause.at - last) / speed, longest_pause))
        last = entry.span.cause.at
        yield entry
