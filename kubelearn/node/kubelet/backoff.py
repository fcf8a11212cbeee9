"""How long to wait before the same thing is tried again: client-go's flowcontrol.Backoff, on the caller's clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class _Entry:
    delay: float
    updated: float


class Backoff:
    """Delays double from `initial` to `limit` and are forgotten after twice `limit` without a failure. Seconds."""

    def __init__(self, initial: float = 10.0, limit: float = 300.0) -> None:
        self._initial = initial
        self._limit = limit
        self._entries: dict[str, _Entry] = {}

    def until(self, key: str, event: float) -> float:
        """When `key`, which failed at `event`, may be tried again; not later than `event` if at once."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, event):
            return event
        return event + entry.delay

    def delay(self, key: str) -> float:
        entry = self._entries.get(key)
        return entry.delay if entry else 0.0

    def next(self, key: str, event: float, now: float) -> None:
        """`key` is tried again now, after it failed at `event`."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, event):
            self._entries[key] = _Entry(self._initial, now)
            return
        entry.delay = min(entry.delay * 2, self._limit)
        entry.updated = now

    def reset(self, key: str) -> None:
        self._entries.pop(key, None)

    def _expired(self, entry: _Entry, event: float) -> bool:
        return event - entry.updated > 2 * self._limit
