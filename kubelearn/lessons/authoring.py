"""For authors: `kubelearn lesson new`, a folder to begin with that verifies as it is, and `kubelearn lesson verify`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons import prose
from kubelearn.lessons.engine import NODES, engine_of
from kubelearn.lessons.model import FORMAT_VERSION, LESSON_ID, Lesson, find, load, load_all
from kubelearn.lessons.verify import unproven, verify

Say = Callable[[str], None]

_LESSON = """\
# kubelearn lesson verify {id}    proves it: what is written here, in en.md and in zh.md
format_version: {version}
id: {id}
order: 99
concepts: []
minutes: 10
needs: {{nodes: 1, engines: [docker, process]}}
start: []
teardown:
  - kubectl delete pod web --ignore-not-found
steps:
  - id: first-step
    checks:
      - resource: {{kind: pod, name: web, path: .status.phase, equals: Running}}
    solution:
      - kubectl run web --image=kubelearn/web:v1
    wrong:
      - commands: ["kubectl run web --image=kubelearn/web:no-such-tag"]
        message: "pod web .status.phase = Pending"
"""
_PROSE = {
    "en": """\
# {id}

## first-step: A step

### task
Run a pod: `kubectl run web --image=kubelearn/web:v1`

### hints
1. The verb is `run`.
2. Type: `kubectl run web --image=kubelearn/web:v1`

### debrief
Why it worked.
""",
    "zh": """\
# {id}

## first-step: 一步

### task
运行一个 Pod：`kubectl run web --image=kubelearn/web:v1`

### hints
1. 动词是 `run`。
2. 输入：`kubectl run web --image=kubelearn/web:v1`

### debrief
为什么会这样。
""",
}


def new(lesson_id: str, say: Say) -> int:
    """A folder in the current one."""
    if not lesson_id:
        raise KubelearnError("which id?", "kubelearn lesson new my-lesson", 2)
    if not LESSON_ID.fullmatch(lesson_id):
        raise KubelearnError(f'"{lesson_id}" is no id', "lower-case letters and digits, with dashes between", 2)
    folder = Path(lesson_id)
    try:
        folder.mkdir()
    except FileExistsError as error:
        raise KubelearnError(f"{folder} exists already", "choose another id") from error
    except OSError as error:
        raise KubelearnError(f"{folder} cannot be made: {error.strerror}") from error
    texts = {language: text.format(id=lesson_id) for language, text in _PROSE.items()}
    texts["zh"] += f"\n{prose.stamp(prose.parse(texts['en'], 'en.md').digest)}\n"
    for language, text in texts.items():
        (folder / f"{language}.md").write_text(text, encoding="utf-8")
    (folder / "lesson.yaml").write_text(_LESSON.format(version=FORMAT_VERSION, id=lesson_id), encoding="utf-8")
    say(f"made {folder}/: write its steps, then: kubelearn lesson verify {lesson_id}")
    return 0


def lesson_of(lesson_id: str) -> Lesson:
    """One that ships, or an author's folder."""
    if lesson_id and (Path(lesson_id) / "lesson.yaml").exists():
        return load(Path(lesson_id).resolve())
    return find(lesson_id)


async def prove(client: Client, lesson_id: str, output: str, say: Say) -> int:
    """Verify one lesson, or with no id all; 0 when there is no problem. Lessons that name another engine than this
    cluster's are left to a cluster of that engine."""
    lessons = [lesson_of(lesson_id)] if lesson_id else load_all()
    engine = engine_of((await client.list(NODES))["items"])
    found: dict[str, list[str]] = {}
    for lesson in lessons:
        if not lesson_id and engine not in lesson.needs.engines:
            continue
        found[lesson.id] = await verify(client, lesson, say if output == "text" else lambda _text: None)
        if output == "text":
            for problem in found[lesson.id]:
                say(f"  ✗ {problem}")
    elsewhere = {lesson.id: names for lesson in lessons if (names := unproven(lesson, engine))}
    bad = [i for i, problems in found.items() if problems]
    if output == "json":
        say(json.dumps({"engine": engine, "problems": found, "unproven": elsewhere}, ensure_ascii=False))
        return 1 if bad else 0
    count = f"{len(found) - len(bad)} of {len(found)} lessons proven on engine {engine}"
    say(count + (f"; not: {', '.join(bad)}" if bad else ""))
    for other in sorted({e for names in elsewhere.values() for e in names}):
        say(f"  to prove on a cluster of engine {other}: {', '.join(i for i, n in elsewhere.items() if other in n)}")
    return 1 if bad else 0
