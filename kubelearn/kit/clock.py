"""Wall-clock time as Kubernetes writes it, in one place so that tests can set it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def rfc3339(at: datetime) -> str:
    """metav1.Time: whole seconds, `2026-01-02T03:04:05Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(at: datetime) -> str:
    """metav1.MicroTime: `2026-01-02T03:04:05.000006Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """Either form back to an aware datetime; raises ValueError."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
