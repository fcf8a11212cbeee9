"""The cause that rides on every write.

A request carries W3C trace headers: `traceparent` names the trace and the sender's span, `tracestate` has the member
`kubelearn=<revision>`: the store revision that the sender acts upon, and `baggage` may carry `kubelearn.command`
(the line a person typed) and `kubelearn.note` (what the component wants to say of its decision, JSON). The API server
stores the resulting `Cause` with the revision that the request wrote, so the chain from a command to a container is a
walk over stored revisions. Sources: W3C Trace Context, W3C Baggage.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

import orjson


@dataclass(frozen=True, slots=True)
class Acting:
    """What the running task acts upon; set it with `acting`, the client turns it into headers."""

    trace_id: str = ""
    revision: int = 0
    command: str = ""
    note: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cause:
    """Stored with a revision. `actor` is the component's or user's name, `parent` the revision acted upon (0: none,
    the chain starts here), `at` seconds since the epoch, `note` free JSON by the actor (scheduler verdicts, say)."""

    trace_id: str
    span_id: str
    parent: int
    actor: str
    verb: str
    at: float
    command: str = ""
    note: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        return orjson.dumps(
            [
                self.trace_id,
                self.span_id,
                self.parent,
                self.actor,
                self.verb,
                self.at,
                self.command,
                dict(self.note),
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> Cause | None:
        return cls(*orjson.loads(data)) if data else None


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


def current() -> Acting | None:
    return _acting.get()


@contextlib.contextmanager
def acting(on: Acting) -> Iterator[None]:
    """Within the block, every request of this task names `on` as its cause."""
    token = _acting.set(on)
    try:
        yield
    finally:
        _acting.reset(token)


def add_note(**note: Any) -> None:
    """Add to the note of the current cause, for the writes that follow in this task."""
    now = _acting.get() or Acting()
    _acting.set(replace(now, note={**now.note, **note}))


def new_trace_id() -> str:
    return secrets.token_hex(16)


def headers(on: Acting | None) -> dict[str, str]:
    """The request headers that carry `on`."""
    trace_id = (on.trace_id if on else "") or new_trace_id()
    out = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    if on is None:
        return out
    if on.revision:
        out["tracestate"] = f"kubelearn={on.revision}"
    baggage = []
    if on.command:
        baggage.append("kubelearn.command=" + quote(on.command, safe=""))
    if on.note:
        baggage.append("kubelearn.note=" + quote(orjson.dumps(dict(on.note)), safe=""))
    if baggage:
        out["baggage"] = ",".join(baggage)
    return out


def from_headers(given: Mapping[str, str]) -> Acting:
    """Read the headers back (keys in lower case); what is malformed is ignored, as the W3C texts ask."""
    trace_id = ""
    parts = given.get("traceparent", "").split("-")
    if len(parts) == 4 and len(parts[1]) == 32:
        trace_id = parts[1]
    revision = 0
    for member in given.get("tracestate", "").split(","):
        key, _, value = member.strip().partition("=")
        if key == "kubelearn" and value.isdigit():
            revision = int(value)
    command, note = "", {}
    for member in given.get("baggage", "").split(","):
        key, _, value = member.strip().partition("=")
        if key == "kubelearn.command":
            command = unquote(value)
        elif key == "kubelearn.note":
            with contextlib.suppress(orjson.JSONDecodeError):
                note = orjson.loads(unquote(value))
    return Acting(trace_id, revision, command, note if isinstance(note, dict) else {})
