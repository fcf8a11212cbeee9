"""What a lesson is: `lesson.yaml` and its prose, loaded into dataclasses with errors that name file and line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubelearn.kit.data import data_dir
from kubelearn.kit.discover import names
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons import prose
from kubelearn.lessons.located import Located, read

FORMAT_VERSION = 1
LANGUAGES = ("en", "zh")
ENGINES = ("docker", "process")
_STEP_NEEDS, _STEP_MAY = {"id", "checks", "solution"}, {"view", "pause", "alternatives", "wrong"}
_LESSON_NEEDS = {"format_version", "id", "order", "steps"}
_LESSON_MAY = {"concepts", "prerequisites", "minutes", "needs", "start", "teardown"}
LESSON_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Check:
    """One graded condition: `type` names a file in `checks/`, `params` are that type's, `line` is lesson.yaml's."""

    type: str
    params: Mapping[str, Any]
    line: int = field(default=0, compare=False)


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
    engines: tuple[str, ...] = ENGINES


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


def _folders(root: Path | None) -> list[Path]:
    return sorted(p for p in (root or data_dir("lessons")).iterdir() if p.is_dir() and not p.name.startswith("."))


def load_all(root: Path | None = None) -> list[Lesson]:
    """In the order of the course. Raises KubelearnError when two claim one place, or when a prerequisite is no lesson
    that comes before."""
    lessons = sorted((load(p) for p in _folders(root)), key=lambda lesson: lesson.order)
    before: dict[str, int] = {}
    for lesson in lessons:
        where = f"{lesson.id}/lesson.yaml"
        if lesson.order in before.values():
            other = next(i for i, order in before.items() if order == lesson.order)
            raise KubelearnError(f"{where}: order {lesson.order} is taken by {other}")
        for wanted in lesson.prerequisites:
            if wanted not in before:
                raise KubelearnError(f"{where}: prerequisite {wanted} is no lesson that comes before it")
        before[lesson.id] = lesson.order
    return lessons


def find(lesson_id: str, root: Path | None = None) -> Lesson:
    """By id, without reading the others, or by number; raises KubelearnError for an unknown one."""
    for folder in _folders(root):
        if folder.name == lesson_id:
            return load(folder)
    lessons = load_all(root)
    for lesson in lessons:
        if lesson_id == str(lesson.order):
            return lesson
    raise KubelearnError(f'no lesson "{lesson_id}"', f"lessons: {', '.join(x.id for x in lessons)}")


def load(folder: Path) -> Lesson:
    """Raises KubelearnError that names the file and the line."""
    document = read(folder / "lesson.yaml", f"{folder.name}/lesson.yaml")
    version = document.entries().get("format_version")
    if version is None or version.plain() != FORMAT_VERSION:
        raise (version or document).error(f"format_version must be {FORMAT_VERSION}")
    data = document.mapping(_LESSON_NEEDS, _LESSON_MAY)
    if data["id"].text() != folder.name:
        raise data["id"].error(f"id must be the folder's name, {folder.name}")
    return Lesson(
        id=_id(data["id"]),
        order=data["order"].integer(),
        concepts=_texts(data, "concepts"),
        prerequisites=_texts(data, "prerequisites"),
        minutes=data["minutes"].integer(1) if "minutes" in data else 10,
        needs=_needs(data["needs"]) if "needs" in data else Needs(),
        steps=_steps(data["steps"]),
        folder=folder,
        start=_texts(data, "start"),
        teardown=_texts(data, "teardown"),
        prose={lang: _prose(folder, lang) for lang in LANGUAGES},
    )


def _prose(folder: Path, language: str) -> prose.Prose:
    where = f"{folder.name}/{language}.md"
    try:
        return prose.parse((folder / f"{language}.md").read_text(encoding="utf-8"), where)
    except FileNotFoundError as error:
        raise KubelearnError(f"{where} is missing: a lesson needs its prose in every language") from error
    except UnicodeDecodeError as error:
        raise KubelearnError(f"{where} is not UTF-8: {error}") from error


def _id(value: Located) -> str:
    text = value.text()
    if not LESSON_ID.fullmatch(text):
        raise value.error(f'"{text}" is no id', "lower-case letters and digits, with dashes between")
    return text


def _texts(data: Mapping[str, Located], key: str) -> tuple[str, ...]:
    return data[key].texts() if key in data else ()


def _needs(value: Located) -> Needs:
    data = value.mapping(set(), {"nodes", "engines"})
    engines = _texts(data, "engines") or ENGINES
    for engine in engines:
        if engine not in ENGINES:
            raise data["engines"].error(f"unknown engine {engine}", f"known: {', '.join(ENGINES)}")
    return Needs(data["nodes"].integer(1) if "nodes" in data else 1, engines)


def _steps(value: Located) -> tuple[Step, ...]:
    steps: dict[str, Step] = {}
    for item in value.items():
        step = _step(item)
        if step.id in steps:
            raise item.error(f"two steps have the id {step.id}")
        steps[step.id] = step
    if not steps:
        raise value.error("a lesson needs steps")
    return tuple(steps.values())


def _step(value: Located) -> Step:
    data = value.mapping(_STEP_NEEDS, _STEP_MAY)
    checks = tuple(_check(item) for item in data["checks"].items())
    if not checks:
        raise data["checks"].error("a step needs a check")
    alternatives = data["alternatives"].items() if "alternatives" in data else []
    return Step(
        id=_id(data["id"]),
        checks=checks,
        solution=data["solution"].texts(),
        alternatives=tuple(a.texts() for a in alternatives),
        wrong=tuple(_wrong(w) for w in data["wrong"].items()) if "wrong" in data else (),
        view=data["view"].text() if "view" in data else "architecture",
        pause=_texts(data, "pause"),
    )


def _wrong(value: Located) -> Wrong:
    data = value.mapping({"commands", "message"})
    return Wrong(data["commands"].texts(), data["message"].text())


def _check(value: Located) -> Check:
    entries = value.entries()
    if len(entries) != 1:
        raise value.error("a check is a mapping of its type to its parameters")
    (name, params), *_ = entries.items()
    known = names("kubelearn.lessons.checks")
    if name.replace("_", "-") not in known:
        raise value.error(f"unknown check {name}", f"known: {', '.join(n.replace('-', '_') for n in known)}")
    params.entries()
    return Check(name, params.plain(), params.line)
