"""How far the learner is: one small file per cluster, so that every front end goes on where the last one stopped."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Progress:
    """The current lesson and step, the commands run in it, answers given, hints shown, the revision at which the step
    began, and lessons finished."""

    lesson: str = ""
    step: int = 0
    commands: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    hints: int = 0
    finished: list[str] = field(default_factory=list)
    since: int = 0

    def enter(self, lesson: str, step: int, since: int = 0) -> None:
        """Begin a step: what counted for the last one counts no more."""
        self.lesson, self.step, self.since = lesson, step, since
        self.commands, self.answers, self.hints = [], {}, 0


def _path(home: Path) -> Path:
    return home / "progress.json"


def load(home: Path) -> Progress:
    """What was saved; a new one when nothing was, or when it cannot be read (a lesson then starts anew)."""
    try:
        data = json.loads(_path(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Progress()
    return Progress(**data) if _is_sound(data) else Progress()


def save(home: Path, progress: Progress) -> None:
    """Whole or not at all: an interrupted write leaves the old file."""
    temporary = _path(home).with_suffix(".new")
    temporary.write_text(json.dumps(asdict(progress)), encoding="utf-8")
    temporary.replace(_path(home))


def record(home: Path, line: str) -> None:
    """A command that succeeded outside of a lesson's own front end counts for the step, if there is one."""
    if not _path(home).exists():
        return
    progress = load(home)
    if progress.lesson:
        progress.commands.append(line)
        save(home, progress)


def _is_sound(data: Any) -> bool:
    """Whether the file's values have the types of `Progress`: it is a file that people may edit."""
    if not isinstance(data, dict):
        return False
    plain = Progress()
    if any(not hasattr(plain, k) or type(v) is not type(getattr(plain, k)) for k, v in data.items()):
        return False
    numbers = (data.get("step", 0), data.get("hints", 0), data.get("since", 0))
    texts = (*data.get("commands", ()), *data.get("finished", ()), *data.get("answers", {}).values())
    return all(n >= 0 for n in numbers) and all(isinstance(t, str) for t in texts)
