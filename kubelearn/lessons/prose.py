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

A translation ends with `<!-- translates en.md 0123456789ab -->`: the digest of the text it was made from, so that a
translation which was left behind is noticed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kubelearn.kit.errors import KubelearnError

_OPTION = re.compile(r"- \((?P<right>[x ])\) (?P<text>.+?) — (?P<why>.+)")
_HINT = re.compile(r"(\d+)\. (.+)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_PROGRAMS = r"(?:kubectl|kubelearn|k)"
_CODE = re.compile(rf"`({_PROGRAMS}\s[^`]+)`")
_FENCED = re.compile(rf"^\s*(?:[$❯]\s+)?({_PROGRAMS}\s.+)$", re.MULTILINE)
_STAMP = re.compile(r"<!-- translates en\.md ([0-9a-f]{12}) -->")
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

    @property
    def right(self) -> int:
        """The number of the right option; options count from 1."""
        return next(i for i, o in enumerate(self.options, 1) if o.right)


@dataclass(frozen=True, slots=True)
class StepProse:
    id: str
    title: str
    text: str
    task: str
    hints: tuple[str, ...]
    debrief: str
    predict: Predict | None

    def texts(self) -> Iterator[str]:
        """All that the learner gets to read."""
        yield from (self.text, self.task, *self.hints, self.debrief)
        if self.predict is not None:
            yield self.predict.question
            for option in self.predict.options:
                yield from (option.text, option.why)


@dataclass(frozen=True, slots=True)
class Prose:
    """`digest` is that of the file's text without its stamp, `translates` the stamp's."""

    title: str
    introduction: str
    steps: dict[str, StepProse]
    digest: str = ""
    translates: str = ""

    def commands(self) -> list[str]:
        """Every command quoted in the text: in backticks, and the lines of code blocks."""
        found: list[str] = []
        for text in (self.introduction, *(t for s in self.steps.values() for t in s.texts())):
            found += [" ".join(c.split()) for c in _CODE.findall(_FENCE.sub("", text))]
            found += [c for block in _FENCE.findall(text) for c in _FENCED.findall(block)]
        return found


@dataclass(slots=True)
class _Part:
    """Lines of one part with their numbers in the file."""

    name: str
    line: int
    lines: list[tuple[int, str]] = field(default_factory=list)

    def text(self) -> str:
        return "\n".join(text for _, text in self.lines).strip()


def stamp(digest: str) -> str:
    """The line with which a translation of the text of that digest ends."""
    return f"<!-- translates en.md {digest} -->"


def parse(text: str, where: str) -> Prose:
    """Raises KubelearnError naming the line that does not follow the format."""
    stamped = _STAMP.search(text)
    body = _STAMP.sub("", text).rstrip()
    head, *sections = _split(body, "## ", 1)
    title, *introduction = head.text().split("\n", 1)
    if not title.startswith("# "):
        raise KubelearnError(f"{where}:1: the first line must be '# Title'")
    steps: dict[str, StepProse] = {}
    for section in sections:
        step = _step(section, where)
        if step.id in steps:
            raise KubelearnError(f"{where}:{section.line}: two sections have the step id {step.id}")
        steps[step.id] = step
    digest = hashlib.sha256(body.encode()).hexdigest()[:12]
    return Prose(title[2:].strip(), "".join(introduction).strip(), steps, digest, stamped[1] if stamped else "")


def _split(text: str, mark: str, first: int) -> list[_Part]:
    """What stands before the first heading of a level, and each heading with what follows it. A code block's lines
    are no headings."""
    parts = [_Part("", first)]
    fenced = False
    for number, line in enumerate(text.split("\n"), first):
        fenced ^= line.startswith("```")
        if line.startswith(mark) and not fenced:
            parts.append(_Part(line.removeprefix(mark).strip(), number))
        else:
            parts[-1].lines.append((number, line))
    return parts


def _step(section: _Part, where: str) -> StepProse:
    step_id, colon, title = section.name.partition(":")
    if not colon or not title.strip():
        raise KubelearnError(f"{where}:{section.line}: '## {section.name}' must read '## step-id: Title'")
    first, *rest = _split("\n".join(text for _, text in section.lines), "### ", section.line + 1)
    parts = {"text": first}
    for part in rest:
        if part.name not in _PARTS[1:]:
            raise KubelearnError(
                f"{where}:{part.line}: unknown part '### {part.name}'", f"known: {', '.join(_PARTS[1:])}"
            )
        if part.name in parts:
            raise KubelearnError(f"{where}:{part.line}: a second '### {part.name}' in {step_id}")
        parts[part.name] = part
    return StepProse(
        step_id.strip(),
        title.strip(),
        parts["text"].text(),
        parts["task"].text() if "task" in parts else "",
        tuple(_hints(parts["hints"], where)) if "hints" in parts else (),
        parts["debrief"].text() if "debrief" in parts else "",
        _predict(parts["predict"], where) if "predict" in parts else None,
    )


def _hints(part: _Part, where: str) -> list[str]:
    hints: list[str] = []
    for number, line in part.lines:
        if match := _HINT.fullmatch(line.strip()):
            hints.append(match[2])
            if int(match[1]) != len(hints):
                raise KubelearnError(f"{where}:{number}: hint {len(hints)} is numbered {match[1]}")
        elif line.startswith(" ") and line.strip() and hints:
            hints[-1] += " " + line.strip()
        elif line.strip():
            raise KubelearnError(f"{where}:{number}: a hint begins with its number: '1. …'")
    return hints


def _predict(part: _Part, where: str) -> Predict:
    question: list[str] = []
    written: list[tuple[int, str]] = []
    for number, line in part.lines:
        if line.startswith("- "):
            written.append((number, line.strip()))
        elif written and line.startswith(" ") and line.strip():
            written[-1] = (written[-1][0], f"{written[-1][1]} {line.strip()}")
        elif written and line.strip():
            raise KubelearnError(f"{where}:{number}: text after the options")
        elif not written:
            question.append(line)
    options: list[Option] = []
    for number, line in written:
        match = _OPTION.fullmatch(line)
        if match is None:
            raise KubelearnError(f"{where}:{number}: an option reads '- ( ) text — why', the right one '- (x) …'")
        options.append(Option(match["text"], match["why"], match["right"] == "x"))
    asked = "\n".join(question).strip()
    if not asked or len(options) < 2 or sum(o.right for o in options) != 1:
        raise KubelearnError(
            f"{where}:{part.line}: predict takes a question and two or more options, one of them right"
        )
    return Predict(asked, tuple(options))
