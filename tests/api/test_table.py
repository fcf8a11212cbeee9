"""Ages and Tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubelearn.api import table
from kubelearn.api.kind import Column

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (123, "2m3s"), (10 * MINUTE + 5, "10m"),
        (3 * HOUR, "3h"), (3 * HOUR + 60, "3h1m"), (8 * HOUR + 60, "8h"), (47 * HOUR, "47h"), (2 * DAY, "2d"),
        (3 * DAY + 4 * HOUR, "3d4h"), (8 * DAY + HOUR, "8d"), (800 * DAY, "2y70d"), (3000 * DAY, "8y"),
    ],
)  # fmt: skip
def test_human_duration(seconds: int, text: str) -> None:
    assert table.human_duration(seconds) == text


def test_render_counts_ages_from_its_own_now() -> None:
    columns = (
        Column("Name", lambda o: o["metadata"]["name"], format="name"),
        Column("Age", lambda o: table.age(o["metadata"].get("creationTimestamp")), priority=1),
    )
    objs = [
        {"metadata": {"name": "a", "creationTimestamp": "2026-01-02T03:04:05Z"}, "spec": {}},
        {"metadata": {"name": "b"}},
    ]
    out = table.render(columns, objs, datetime(2026, 1, 2, 3, 4, 10, tzinfo=UTC), metadata={"resourceVersion": "7"})
    assert [row["cells"] for row in out["rows"]] == [["a", "5s"], ["b", "<unknown>"]]
    assert out["rows"][0]["object"] == {
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": objs[0]["metadata"],
    }  # fmt: skip
    assert out["columnDefinitions"][1]["priority"] == 1
    assert out["metadata"] == {"resourceVersion": "7"}


def test_include() -> None:
    objs = [{"metadata": {"name": "a"}, "spec": {}}]
    assert "object" not in table.render((), objs, include="None")["rows"][0]
    assert table.render((), objs, include="Object")["rows"][0]["object"] is objs[0]
