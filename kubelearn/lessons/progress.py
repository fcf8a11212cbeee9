"""How far the learner is: one small file per cluster, so that every front end goes on where the last one stopped."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Progress:
    """The current lesson and step, the commands run in it, answers given, hints shown, and lessons finished."""

    lesson: str = ""
    step: int = 0
    commands: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    hints: int = 0
    finished: list[str] = field(default_factory=list)

    def enter(self, lesson: str, step: int) -> None:
        """Begin a step: what counted for the last one counts no more."""
        self.lesson, self.step = lesson, step
        self.commands, self.answers, self.hints = [], {}, 0


def _path(home: Path) -> Path:
    return home / "progress.json"


def load(home: Path) -> Progress:
    """What was saved; a new one when nothing was, or when it cannot be read (a lesson then starts anew)."""
    try:
        return Progress(**json.loads(_path(home).read_text()))
    except (OSError, ValueError, TypeError):
        return Progress()


def save(home: Path, progress: Progress) -> None:
    temporary = _path(home).with_suffix(".new")
    temporary.write_text(json.dumps(asdict(progress)))
    temporary.replace(_path(home))
