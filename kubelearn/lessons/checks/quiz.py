"""The step's predict question was answered rightly: `quiz: {question: STEP-ID, answer: 2}` (options count from 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubelearn.lessons.check_type import CheckContext, CheckType, Result


async def _run(context: CheckContext, params: Mapping[str, Any]) -> Result:
    given = context.answers.get(str(params["question"]), "")
    return Result(given == str(params["answer"]), f"answer {given}" if given else "no answer yet", "the right answer")


CHECK = CheckType(frozenset({"question", "answer"}), frozenset(), _run, numbers=frozenset({"answer"}))
