"""What can be proven of a lesson without a cluster: its files, parameters, languages and the commands it quotes.

The other half of `lesson verify`; the tests of this repository run it over every lesson.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from kubelearn.graph.views import VIEWS
from kubelearn.kit.discover import load
from kubelearn.lessons import prose
from kubelearn.lessons.check_type import CheckType
from kubelearn.lessons.model import LANGUAGES, Lesson, Step
from kubelearn.lessons.runner import problem

_OWN_FILES = {"lesson.yaml", *(f"{lang}.md" for lang in LANGUAGES)}


def static_problems(lesson: Lesson) -> list[str]:
    """Every problem found, each naming its file or step."""
    return [*_files(lesson), *_steps(lesson), *_languages(lesson), *_commands(lesson)]


def _lines(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Every command of the lesson, and where it stands."""
    for where, lines in (("start", lesson.start), ("teardown", lesson.teardown)):
        yield from ((where, line) for line in lines)
    for step in lesson.steps:
        yield from ((f"{step.id}: solution", line) for line in step.solution)
        yield from ((f"{step.id}: alternative", line) for way in step.alternatives for line in way)
        yield from ((f"{step.id}: wrong", line) for way in step.wrong for line in way.commands)
    for language in LANGUAGES:
        yield from ((f"{language}.md", line) for line in lesson.prose[language].commands())


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []  # said by _commands


def _files(lesson: Lesson) -> Iterator[str]:
    """Files that no command uses, and files that a command names and that are not there."""
    named: set[str] = set()
    for where, line in _lines(lesson):
        words = _words(line)
        named.update(part for word in words for part in re.split("[=,]", word))
        for flag, value in pairwise((*words, "")):
            name = value if flag in ("-f", "--filename") else flag.removeprefix("--filename=")
            if (name != flag or flag.startswith("--filename=")) and not _exists(lesson.folder, name):
                yield f"{where}: `{line}`: no file {name}"
    for path in sorted(p for p in lesson.folder.rglob("*") if p.is_file()):
        relative = path.relative_to(lesson.folder)
        used = any(str(place) in named for place in (relative, *relative.parents[:-1]))
        if str(relative) not in _OWN_FILES and not used:
            yield f"stray file {relative}: no command of the lesson uses it"


def _exists(folder: Path, name: str) -> bool:
    return (
        name == "-" or name.startswith(("http://", "https://")) or all((folder / n).exists() for n in name.split(","))
    )


def _steps(lesson: Lesson) -> Iterator[str]:
    for step in lesson.steps:
        if step.view not in VIEWS:
            yield f"{step.id}: unknown view {step.view}; known: {', '.join(VIEWS)}"
        if not step.solution and any(c.type != "quiz" for c in step.checks):
            yield f"{step.id}: no solution"
        for check in step.checks:
            where = f"lesson.yaml:{check.line}: {step.id}: check {check.type}"
            kind = load("kubelearn.lessons.checks", check.type, "CHECK", CheckType)
            found = kind.problems(check.params)
            yield from (f"{where}: {text}" for text in found)
            if check.type == "quiz" and not found:
                yield from (f"{where}: {text}" for text in _quiz(lesson, step, check.params))


def _quiz(lesson: Lesson, step: Step, params: dict[str, object] | object) -> Iterator[str]:
    """A quiz grades its own step's predict question; the front ends keep answers by step id."""
    assert isinstance(params, dict)
    if params["question"] != step.id:
        yield f"question must be the step's id, {step.id}"
    for language in LANGUAGES:
        words = lesson.prose[language].steps.get(step.id)
        if words is None:
            continue  # said by _languages
        if words.predict is None:
            yield f"{language}.md has no predict question"
        elif words.predict.right != params["answer"]:
            yield f"answer {params['answer']}, but {language}.md marks option {words.predict.right}"


def _languages(lesson: Lesson) -> Iterator[str]:
    ids = [s.id for s in lesson.steps]
    for language, text in lesson.prose.items():
        missing = [i for i in ids if i not in text.steps]
        unknown = [i for i in text.steps if i not in ids]
        if missing or unknown:
            yield f"{language}.md: " + "; ".join(
                f"{what} {', '.join(names)}"
                for what, names in (("no step", missing), ("unknown step", unknown))
                if names
            )
        elif list(text.steps) != ids:
            yield f"{language}.md: steps in another order than lesson.yaml's: {', '.join(text.steps)}"
        for step in text.steps.values():
            yield from (f"{language}.md: {step.id}: no {part}" for part in ("task", "hints") if not getattr(step, part))
    original, *translations = LANGUAGES
    for language in translations:
        yield from (f"{language}.md: {text}" for text in _translation(lesson.prose[original], lesson.prose[language]))


def _translation(original: prose.Prose, other: prose.Prose) -> Iterator[str]:
    """Where a translation says less, more or something else than the text it was made from."""
    for step_id, a in original.steps.items():
        b = other.steps.get(step_id)
        if b is None:
            continue
        if len(a.hints) != len(b.hints):
            yield f"{step_id}: {len(b.hints)} hints, en.md has {len(a.hints)}"
        answers = [[o.right for o in s.predict.options] if s.predict else None for s in (a, b)]
        if answers[0] != answers[1]:
            yield f"{step_id}: the predict question differs from en.md's"
        yield from (
            f"{step_id}: {part} in one language only"
            for part in ("text", "task", "debrief")
            if bool(getattr(a, part)) != bool(getattr(b, part))
        )
    if bool(original.introduction) != bool(other.introduction):
        yield "an introduction in one language only"
    if sorted(original.commands()) != sorted(other.commands()):
        differ = sorted(set(original.commands()) ^ set(other.commands()))
        yield f"commands quoted in one language only: {'; '.join(differ) or 'the same ones, but not as often'}"
    if other.translates != original.digest:
        yield (
            "stale: not of this en.md; look at what changed there, then let this file end with "
            f"`{prose.stamp(original.digest)}`"
        )


def _commands(lesson: Lesson) -> Iterator[str]:
    for where, line in dict.fromkeys(_lines(lesson)):
        if text := problem(line):
            yield f"{where}: `{line}` does not parse: {text}"
