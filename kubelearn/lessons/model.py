"""What a lesson is: `lesson.yaml` and its prose, loaded into dataclasses with errors that name the line's path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kubelearn.kit.data import data_dir
from kubelearn.kit.discover import names
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons import prose

FORMAT_VERSION = 1
LANGUAGES = ("en", "zh")
_STEP_KEYS = {"id", "view", "pause", "checks", "solution", "alternatives", "wrong"}
_LESSON_KEYS = {
    "format_version", "id", "order", "concepts", "prerequisites", "minutes", "needs", "start", "teardown", "steps",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """One graded condition: `type` names a file in `checks/`, `params` are that type's."""

    type: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A solution that must not pass, and a part of the message that it must get."""

    commands: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """`pause` lists the components that the gate holds while the step is on; `view` the picture to show."""

    id: str
    checks: tuple[Check, ...]
    solution: tuple[str, ...]
    alternatives: tuple[tuple[str, ...], ...] = ()
    wrong: tuple[Wrong, ...] = ()
    view: str = "architecture"
    pause: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    nodes: int = 1
    engines: tuple[str, ...] = ("docker", "process")


@dataclass(frozen=True, slots=True)
class Lesson:
    """`start` brings about the start state, `teardown` removes all that the lesson made; both are shell lines."""

    id: str
    order: int
    concepts: tuple[str, ...]
    prerequisites: tuple[str, ...]
    minutes: int
    needs: Needs
    steps: tuple[Step, ...]
    folder: Path
    start: tuple[str, ...] = ()
    teardown: tuple[str, ...] = ()
    prose: Mapping[str, prose.Prose] = field(default_factory=dict)

    def title(self, language: str) -> str:
        return self.prose[language].title


def lesson_ids() -> list[str]:
    """Ids of the lessons that ship, in the order of the course."""
    return [lesson.id for lesson in load_all()]


def load_all(root: Path | None = None) -> list[Lesson]:
    folders = sorted(p for p in (root or data_dir("lessons")).iterdir() if p.is_dir() and not p.name.startswith("."))
    return sorted((load(p) for p in folders), key=lambda lesson: lesson.order)


def find(lesson_id: str, root: Path | None = None) -> Lesson:
    """By id or by number; raises KubelearnError for an unknown one."""
    lessons = load_all(root)
    for lesson in lessons:
        if lesson_id in (lesson.id, str(lesson.order)):
            return lesson
    raise KubelearnError(f'no lesson "{lesson_id}"', f"lessons: {', '.join(x.id for x in lessons)}")


def load(folder: Path) -> Lesson:
    """Raises KubelearnError that names the file and the key."""
    path = folder / "lesson.yaml"
    where = f"{folder.name}/lesson.yaml"
    try:
        data = yaml.load(path.read_text(), yaml.CSafeLoader)
    except FileNotFoundError as error:
        raise KubelearnError(f"{folder}: no lesson.yaml") from error
    except yaml.YAMLError as error:
        raise KubelearnError(f"{where}: {error}") from error
    if not isinstance(data, dict) or data.get("format_version") != FORMAT_VERSION:
        raise KubelearnError(f"{where}: format_version must be {FORMAT_VERSION}")
    _known(data, _LESSON_KEYS, where)
    if data.get("id") != folder.name:
        raise KubelearnError(f"{where}: id must be the folder's name, {folder.name}")
    steps = tuple(_step(item, f"{where}: steps[{i}]") for i, item in enumerate(data.get("steps") or ()))
    if not steps:
        raise KubelearnError(f"{where}: a lesson needs steps")
    needs = data.get("needs", {})
    return Lesson(
        id=data["id"],
        order=int(data["order"]),
        concepts=tuple(data.get("concepts", ())),
        prerequisites=tuple(data.get("prerequisites", ())),
        minutes=int(data.get("minutes", 10)),
        needs=Needs(needs.get("nodes", 1), tuple(needs.get("engines", ("docker", "process")))),
        steps=steps,
        folder=folder,
        start=_lines(data.get("start")),
        teardown=_lines(data.get("teardown")),
        prose={lang: _prose(folder, lang) for lang in LANGUAGES},
    )


def _prose(folder: Path, language: str) -> prose.Prose:
    path = folder / f"{language}.md"
    try:
        return prose.parse(path.read_text(encoding="utf-8"), f"{folder.name}/{language}.md")
    except FileNotFoundError as error:
        raise KubelearnError(f"{folder.name}: no {language}.md: a lesson needs its prose in every language") from error


def _known(data: Mapping[str, Any], keys: set[str], where: str) -> None:
    unknown = sorted(set(data) - keys)
    if unknown:
        raise KubelearnError(f"{where}: unknown key {', '.join(unknown)}", f"known: {', '.join(sorted(keys))}")


def _lines(value: Any) -> tuple[str, ...]:
    return tuple(str(line) for line in value or ())


def _step(data: Mapping[str, Any], where: str) -> Step:
    if not isinstance(data, dict) or "id" not in data:
        raise KubelearnError(f"{where}: a step is a mapping with an id")
    _known(data, _STEP_KEYS, where)
    checks = tuple(_check(item, f"{where}: checks[{i}]") for i, item in enumerate(data.get("checks") or ()))
    if not checks:
        raise KubelearnError(f"{where}: a step needs a check")
    wrong = tuple(Wrong(_lines(w["commands"]), w["message"]) for w in data.get("wrong", ()))
    return Step(
        id=data["id"],
        checks=checks,
        solution=_lines(data.get("solution")),
        alternatives=tuple(_lines(a) for a in data.get("alternatives", ())),
        wrong=wrong,
        view=data.get("view", "architecture"),
        pause=_lines(data.get("pause")),
    )


def _check(data: Any, where: str) -> Check:
    if not isinstance(data, dict) or len(data) != 1:
        raise KubelearnError(f"{where}: a check is a mapping of its type to its parameters")
    (name, params), *_ = data.items()
    if name.replace("_", "-") not in names("kubelearn.lessons.checks"):
        raise KubelearnError(f"{where}: unknown check {name}", f"known: {', '.join(names('kubelearn.lessons.checks'))}")
    return Check(name, params)
