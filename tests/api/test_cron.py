"""Cron schedules: what they mean, and what robfig/cron says of those that mean nothing."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from kubelearn.api import cron


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("*/5 * * * *", "2026-01-01T00:03:20", "2026-01-01T00:05:00"),
        ("*/5 * * * *", "2026-01-01T00:05:00", "2026-01-01T00:10:00"),
        ("0 9-17/4 * * mon-fri", "2026-01-02T17:30:00", "2026-01-05T09:00:00"),
        ("30 4 1,15 * 5", "2026-01-02T05:00:00", "2026-01-09T04:30:00"),
        ("0 0 29 2 *", "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 * * 0", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        ("@hourly", "2026-12-31T23:00:00", "2027-01-01T00:00:00"),
        ("@every 1h30m", "2026-01-01T00:00:00.5", "2026-01-01T01:30:00"),
    ],
)
def test_next(schedule: str, after: str, expected: str) -> None:
    assert cron.parse(schedule).next(datetime.fromisoformat(after)) == datetime.fromisoformat(expected)


def test_a_day_that_never_comes() -> None:
    assert cron.parse("0 0 30 2 *").next(datetime(2026, 1, 1)) is None


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("", "empty spec string"),
        ("every day", "expected exactly 5 fields, found 2: [every day]"),
        ("@often", "unrecognized descriptor: @often"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("*/2/3 * * * *", "too many slashes: */2/3"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
    ],
)
def test_errors(schedule: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        cron.parse(schedule)
    assert str(caught.value) == message
