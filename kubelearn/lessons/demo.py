"""A lesson that plays itself: each command, its output, the picture after it as text, and the causal chain.

Needs no terminal; what it prints is what the cluster did, so its exit status tells whether the lesson came true.
"""

from __future__ import annotations

from collections.abc import Callable

from kubelearn.client.rest import Client
from kubelearn.graph import render, snapshot
from kubelearn.lessons.engine import LessonRun
from kubelearn.lessons.model import Step, find

Say = Callable[[str], None]


async def play(client: Client, lesson_id: str, language: str, say: Say) -> int:
    """0 when every check of the lesson passed, 1 otherwise."""
    lesson = find(lesson_id)
    run = await LessonRun.open(client, lesson)
    prose = lesson.prose[language]
    say(f"═══ {lesson.order} {prose.title} ═══\n\n{prose.introduction}\n")
    await run.start()
    passed = True
    try:
        for number, step in enumerate(lesson.steps, 1):
            words = prose.steps[step.id]
            say(f"─── {number}/{len(lesson.steps)} {words.title} ───\n\n{words.text}\n")
            await run.enter(step)
            passed = await _solve(run, step, say) and passed
            say(f"\n{render.render(await snapshot.take(client), step.view)}\n")
            if words.debrief:
                say(f"{words.debrief}\n")
        await _why(run, say)
    finally:
        await run.teardown()
    say("✔ every check passed" if passed else "✗ some checks failed")
    return 0 if passed else 1


async def _solve(run: LessonRun, step: Step, say: Say) -> bool:
    for check in step.checks:
        predict = run.lesson.prose["en"].steps[step.id].predict
        if check.type == "quiz" and predict is not None:
            right = next(i for i, o in enumerate(predict.options, 1) if o.right)
            run.context.answers[str(check.params["question"])] = str(right)
    passed = True
    for line in step.solution:
        output = await run.runner.run(line)
        say(f"❯ {line}\n{output.text.rstrip()}")
        passed = passed and output.code == 0
    for checked in await run.wait(step, 60.0):
        mark = "✔" if checked.result.passed else "✗"
        say(f"  {mark} {checked.result.seen}")
        passed = passed and checked.result.passed
    return passed


async def _why(run: LessonRun, say: Say) -> None:
    """The causal chain of a pod that the lesson made."""
    pods = await run.context.fetch_all("pods")
    for pod in pods[:1]:
        line = f"kubelearn why pod/{pod['metadata']['name']}"
        output = await run.runner.run(line)
        say(f"❯ {line}\n{output.text.rstrip()}\n")
