"""States of things in the picture, each with a glyph, so that colour never carries meaning alone."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    RUNNING = "running"
    NOT_READY = "not-ready"
    STARTING = "starting"
    TERMINATING = "terminating"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    UNKNOWN = "unknown"
    HELD = "held"


GLYPHS = {
    State.RUNNING: "●",
    State.NOT_READY: "◐",
    State.STARTING: "◔",
    State.TERMINATING: "◌",
    State.FAILED: "✗",
    State.SUCCEEDED: "✓",
    State.UNKNOWN: "?",
    State.HELD: "⏸",
}
