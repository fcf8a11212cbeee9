"""Completion as the learner goes through it: what a line becomes with the candidate that is chosen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """One completion: the text that replaces the line from `start` to the cursor, and a word on what it is."""

    text: str
    start: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line being typed, and where the cursor stands in it."""

    text: str
    cursor: int

    def with_word(self, start: int, word: str) -> Line:
        """What is between `start` and the cursor becomes `word`; what is after the cursor stays."""
        return Line(self.text[:start] + word + self.text[self.cursor :], start + len(word))


@dataclass(frozen=True, slots=True)
class Completion:
    """The candidates for `line`; `chosen` is an index, or -1 before the first choice."""

    line: Line
    candidates: Sequence[Candidate]
    chosen: int = -1

    def begun(self) -> Line:
        """The line with what all candidates begin with; with a single one, all of it and a space."""
        if not self.candidates:
            return self.line
        if len(self.candidates) == 1:
            word = self.candidates[0].text
            return self.line.with_word(self.candidates[0].start, word if word.endswith(("=", "/")) else word + " ")
        start = self.candidates[0].start
        common = common_beginning([c.text for c in self.candidates])
        return self.line.with_word(start, common) if len(common) > self.line.cursor - start else self.line

    def move(self, by: int) -> Completion:
        """Another one chosen, round and round."""
        count = len(self.candidates)
        at = self.chosen + by if self.chosen >= 0 else (0 if by > 0 else count - 1)
        return Completion(self.line, self.candidates, at % count)

    def now(self) -> Line:
        """The line with the chosen candidate in place."""
        if self.chosen < 0:
            return self.line
        chosen = self.candidates[self.chosen]
        return self.line.with_word(chosen.start, chosen.text)


def common_beginning(texts: Sequence[str]) -> str:
    low, high = min(texts), max(texts)
    size = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:size]
