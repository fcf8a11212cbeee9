"""Sets of completion indexes as a Job's status writes them: `1,3-5,7`. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def parse(text: str | None) -> set[int]:
    """An empty text is the empty set."""
    found: set[int] = set()
    for part in filter(None, (text or "").split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def format(indexes: Iterable[int]) -> str:
    """Two in a row are written one by one, more as a range."""
    parts: list[str] = []
    run: list[int] = []
    for index in [*sorted(indexes), -1]:
        if run and index != run[-1] + 1:
            parts += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(i) for i in run]
            run = []
        run.append(index)
    return ",".join(parts)
