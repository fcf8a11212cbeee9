"""`kubelearn lesson …`: the lesson engine without the terminal app."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons import progress as store
from kubelearn.lessons.engine import LessonRun
from kubelearn.lessons.model import FORMAT_VERSION, Lesson, Step, find, load_all
from kubelearn.lessons.verify import verify

Say = Callable[[str], None]

_NEW = """\
format_version: {version}
id: {id}
order: 99
concepts: []
minutes: 10
needs: {{nodes: 1, engines: [docker, process]}}
teardown:
  - kubectl delete pod web --ignore-not-found
steps:
  - id: first-step
    checks:
      - resource: {{kind: pod, name: web, path: .status.phase, equals: Running}}
    solution:
      - kubectl run web --image=kubelearn/web:v1
"""
_NEW_PROSE = (
    "# {id}\n\n## first-step: A step\n\n### task\n\n`kubectl run web --image=kubelearn/web:v1`\n\n### hints\n1. …\n"
)


def offline(action: str, lesson_id: str, language: str, output: str, say: Say) -> int:
    """What needs no cluster: list, and new (a folder in the current one)."""
    if action == "new":
        return _new(lesson_id, say)
    rows = [
        {"id": x.id, "order": x.order, "title": x.title(language), "minutes": x.minutes, "nodes": x.needs.nodes}
        for x in load_all()
    ]
    if output == "json":
        say(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            say(f"{row['order']:>3}  {row['id']:<14} {row['title']}  ({row['minutes']} min)")
    return 0


def _new(lesson_id: str, say: Say) -> int:
    if not lesson_id:
        raise KubelearnError("which id?", "kubelearn lesson new my-lesson", 2)
    folder = Path(lesson_id)
    if folder.exists():
        raise KubelearnError(f"{folder} exists already", "choose another id")
    folder.mkdir()
    (folder / "lesson.yaml").write_text(_NEW.format(version=FORMAT_VERSION, id=lesson_id))
    for language in ("en", "zh"):
        (folder / f"{language}.md").write_text(_NEW_PROSE.format(id=lesson_id), encoding="utf-8")
    say(f"made {folder}/: write its steps, then: kubelearn lesson verify {lesson_id}")
    return 0


async def run(
    client: Client, home: Path, action: str, lesson_id: str, *, all_lessons: bool, lang: str, output: str, say: Say
) -> int:
    """start, check, hint, next, reset and verify."""
    if action == "verify":
        lessons = load_all() if all_lessons or not lesson_id else [_lesson(lesson_id)]
        return await _verify(client, lessons, output, say)
    progress = store.load(home)
    lesson = _lesson(lesson_id or progress.lesson or "first-pod")
    session = await LessonRun.open(client, lesson)
    if action in ("start", "reset") or lesson.id != progress.lesson:
        await session.start()
        progress.enter(lesson.id, 0)
        await session.enter(lesson.steps[0])
    step = lesson.steps[min(progress.step, len(lesson.steps) - 1)]
    code = 0
    if action == "hint":
        code = _hint(lesson, step, progress, lang, say)
    elif action in ("check", "next"):
        session.context.commands.extend(progress.commands)
        session.context.answers.update(progress.answers)
        code = await _check(session, step, say)
        if action == "next" and code == 0:
            following = await _next(session, progress, say)
            if following is not None:
                _show(lesson, following, lang, say)
    else:
        _show(lesson, step, lang, say)
    store.save(home, progress)
    return code


def _lesson(lesson_id: str) -> Lesson:
    """One that ships, or an author's folder."""
    from kubelearn.lessons.model import load

    if (Path(lesson_id) / "lesson.yaml").exists():
        return load(Path(lesson_id).resolve())
    return find(lesson_id)


def _show(lesson: Lesson, step: Step, language: str, say: Say) -> None:
    prose = lesson.prose[language]
    words = prose.steps[step.id]
    number = [s.id for s in lesson.steps].index(step.id) + 1
    say(f"{prose.title}  {number}/{len(lesson.steps)}  {words.title}\n\n{words.text}\n\n{words.task}")


def _hint(lesson: Lesson, step: Step, progress: store.Progress, language: str, say: Say) -> int:
    hints = lesson.prose[language].steps[step.id].hints
    shown = min(progress.hints, len(hints) - 1)
    say(f"({shown + 1} of {len(hints)}) {hints[shown]}")
    progress.hints = shown + 1
    return 0


async def _check(session: LessonRun, step: Step, say: Say) -> int:
    checked = await session.look(step)
    for item in checked:
        mark = "✔" if item.result.passed else "○"
        say(f"{mark} seen: {item.result.seen}" + ("" if item.result.passed else f", wanted: {item.result.wanted}"))
    return 0 if all(c.result.passed for c in checked) else 1


async def _next(session: LessonRun, progress: store.Progress, say: Say) -> Step | None:
    lesson = session.lesson
    if progress.step + 1 < len(lesson.steps):
        progress.enter(lesson.id, progress.step + 1)
        step = lesson.steps[progress.step]
        await session.enter(step)
        return step
    await session.teardown()
    if lesson.id not in progress.finished:
        progress.finished.append(lesson.id)
    progress.enter("", 0)
    say(f"lesson {lesson.id} is finished")
    return None


async def _verify(client: Client, lessons: list[Lesson], output: str, say: Say) -> int:
    found: dict[str, list[str]] = {}
    for lesson in lessons:
        found[lesson.id] = await verify(client, lesson, say if output == "text" else lambda _text: None)
        if output == "text":
            for problem in found[lesson.id]:
                say(f"  ✗ {problem}")
    bad = [i for i, problems in found.items() if problems]
    if output == "json":
        say(json.dumps(found, ensure_ascii=False))
    else:
        say(f"{len(found) - len(bad)} of {len(found)} lessons proven" + (f"; not: {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0
