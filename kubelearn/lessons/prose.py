"""The prose of a lesson in one language: Markdown, keyed by step id.

# Title
introduction
## step-id: Step title
text
### predict
question
- ( ) an option — why it is not so
- (x) the right one — why it is so
### task
what to do
### hints
1. the first
2. a clearer one
### debrief
why it worked
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubelearn.kit.errors import KubelearnError

_OPTION = re.compile(r"- \((?P<right>[x ])\) (?P<text>.+?) — (?P<why>.+)")
_HINT = re.compile(r"\d+\. (.+)")
_CODE = re.compile(r"`((?:kubectl|kubelearn|k) [^`]+)`")
_PARTS = ("text", "predict", "task", "hints", "debrief")


@dataclass(frozen=True, slots=True)
class Option:
    text: str
    why: str
    right: bool


@dataclass(frozen=True, slots=True)
class Predict:
    """A question to answer before the reveal; exactly one option is right."""

    question: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class StepProse:
    id: str
    title: str
    text: str
    task: str
    hints: tuple[str, ...]
    debrief: str
    predict: Predict | None


@dataclass(frozen=True, slots=True)
class Prose:
    title: str
    introduction: str
    steps: dict[str, StepProse]

    def commands(self) -> list[str]:
        """Every command quoted in the text."""
        found: list[str] = _CODE.findall(self.introduction)
        for step in self.steps.values():
            for text in (step.text, step.task, *step.hints, step.debrief):
                found += _CODE.findall(text)
        return found


def parse(text: str, where: str) -> Prose:
    """Raises KubelearnError naming the place that does not follow the format."""
    head, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    title, _, introduction = head.strip().partition("\n")
    if not title.startswith("# "):
        raise KubelearnError(f"{where}: the first line must be '# Title'")
    steps = [_step(section, where) for section in sections]
    if len({s.id for s in steps}) != len(steps):
        raise KubelearnError(f"{where}: two sections have the same step id")
    return Prose(title[2:].strip(), introduction.strip(), {s.id: s for s in steps})


def _step(section: str, where: str) -> StepProse:
    heading, _, body = section.partition("\n")
    step_id, colon, title = heading.partition(":")
    if not colon:
        raise KubelearnError(f"{where}: '## {heading}' must read '## step-id: Title'")
    first, *rest = re.split(r"^### ", body, flags=re.MULTILINE)
    parts = {"text": first.strip()}
    for part in rest:
        name, _, content = part.partition("\n")
        if name.strip() not in _PARTS:
            raise KubelearnError(f"{where}: {step_id}: unknown part '### {name.strip()}'")
        parts[name.strip()] = content.strip()
    hints = tuple(m.group(1) for line in parts.get("hints", "").splitlines() if (m := _HINT.fullmatch(line.strip())))
    predict = _predict(parts["predict"], f"{where}: {step_id}") if "predict" in parts else None
    return StepProse(
        step_id.strip(),
        title.strip(),
        parts["text"],
        parts.get("task", ""),
        hints,
        parts.get("debrief", ""),
        predict,
    )


def _predict(text: str, where: str) -> Predict:
    options = tuple(
        Option(m["text"], m["why"], m["right"] == "x")
        for line in text.splitlines()
        if (m := _OPTION.fullmatch(line.strip()))
    )
    question = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("- (")).strip()
    if len(options) < 2 or sum(o.right for o in options) != 1:
        raise KubelearnError(f"{where}: a predict question needs two or more options, one of them right")
    return Predict(question, options)
