"""Cron schedules in their five-field form, as CronJobs have them: when one is due, and what is wrong with one.

The grammar and the error texts are those of robfig/cron's standard parser, which Kubernetes uses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = {
    name: i + 1
    for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}
_DAYS = {name: i for i, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
#: Least and greatest value, and names, by field.
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, _MONTHS), (0, 6, _DAYS),
)  # fmt: skip
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|ms|s|m|h)")
_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
#: How far ahead `next` looks, as robfig/cron does: a 29 February is found, a 30 February never.
_YEARS_AHEAD = 5


@dataclass(frozen=True, slots=True)
class Schedule:
    """`every` is the period of an `@every`, whose other fields are empty. `any_day` and `any_weekday`: the field
    was a star, so that only the other of the two decides."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = True
    any_weekday: bool = True
    every: timedelta | None = None

    def _is_day(self, at: datetime) -> bool:
        day, weekday = at.day in self.days, at.isoweekday() % 7 in self.weekdays
        return (day and weekday) if self.any_day or self.any_weekday else (day or weekday)

    def next(self, after: datetime) -> datetime | None:
        """The first time after `after` (in its time zone), None when there is none for years."""
        if self.every is not None:
            return after.replace(microsecond=0) + self.every
        at = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
        limit = after.year + _YEARS_AHEAD
        while at.year <= limit:
            if at.month not in self.months:
                at = (at.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0)
            elif not self._is_day(at):
                at = (at + timedelta(days=1)).replace(hour=0, minute=0)
            elif at.hour not in self.hours:
                at = at.replace(minute=0) + timedelta(hours=1)
            elif at.minute not in self.minutes:
                at += timedelta(minutes=1)
            else:
                return at
        return None


def parse(text: str) -> Schedule:
    """Raises ValueError with robfig/cron's text."""
    if not text:
        raise ValueError("empty spec string")
    if text.startswith(("TZ=", "CRON_TZ=")):
        text = text.partition(" ")[2].strip()
    if text.startswith("@every "):
        return Schedule(every=_duration(text.removeprefix("@every ")))
    if text.startswith("@"):
        if text not in _DESCRIPTORS:
            raise ValueError(f"unrecognized descriptor: {text}")
        text = _DESCRIPTORS[text]
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]")
    (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = (
        _field(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)
    )
    return Schedule(minutes, hours, days, months, weekdays, any_day, any_weekday)


def _duration(text: str) -> timedelta:
    """Go's time.ParseDuration, for `@every`; less than a second counts as one."""
    if not text or _DURATION.sub("", text):
        raise ValueError(f'failed to parse duration @every {text}: time: invalid duration "{text}"')
    seconds = 0.0
    for part in _DURATION.findall(text):
        number = part.rstrip("nuµmsh")
        seconds += float(number) * _UNIT_SECONDS[part.removeprefix(number)]
    return timedelta(seconds=max(1, int(seconds)))


def _field(text: str, low: int, high: int, names: dict[str, int]) -> tuple[frozenset[int], bool]:
    values: set[int] = set()
    starred = False
    for part in filter(None, text.split(",")):
        found, star = _range(part, low, high, names)
        values |= found
        starred = starred or star
    return frozenset(values), starred


def _range(text: str, low: int, high: int, names: dict[str, int]) -> tuple[set[int], bool]:
    """`*`, `?`, `number`, `number-number`, each with an optional `/step`."""
    bounds, *steps = text.split("/")
    ends = bounds.split("-")
    star = ends[0] in ("*", "?")
    if star:
        start, end = low, high
    else:
        start = _number(ends[0], names)
        if len(ends) > 2:
            raise ValueError(f"too many hyphens: {text}")
        end = _number(ends[1], names) if len(ends) == 2 else start
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    step = 1
    if steps:
        step = _whole(steps[0])
        if len(ends) == 1 and not star:
            end = high  # "N/step" means "N-max/step"
        star = star and step == 1
    if start < low:
        raise ValueError(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise ValueError(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")
    return set(range(start, end + 1, step)), star


def _number(text: str, names: dict[str, int]) -> int:
    found = names.get(text.lower())
    return _whole(text) if found is None else found


def _whole(text: str) -> int:
    if not re.fullmatch("[+-]?[0-9]+", text, re.ASCII):
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    found = int(text)
    if found < 0:
        raise ValueError(f"negative number ({found}) not allowed: {text}")
    return found
