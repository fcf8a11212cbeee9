"""CronJobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubelearn.api import table
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj

Build = Callable[..., Obj]
Create = Callable[[Obj], list[str]]


def cron_job(build: Build, **spec: Any) -> Obj:
    pod: Obj = {"containers": [{"name": "c", "image": "n:1"}], "restartPolicy": "Never"}
    template: Obj = {"spec": {"template": {"spec": pod}}}
    return build("CronJob", spec={"schedule": "*/5 * * * *", "jobTemplate": template} | spec)


def test_defaults(build: Build, create: Create) -> None:
    obj = cron_job(build)
    assert create(obj) == []
    spec = obj["spec"]
    assert (spec["concurrencyPolicy"], spec["suspend"]) == ("Allow", False)
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 1)
    assert "backoffLimit" not in spec["jobTemplate"]["spec"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"schedule": ""}, ["spec.schedule: Required value"]),
        ({"schedule": "61 * * * *"},
         ['spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61']),
        ({"schedule": "TZ=UTC 0 * * * *"},
         ['spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field '
          "instead"]),
        ({"timeZone": "Mars/Olympus"}, ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus']),
        ({"timeZone": ""}, ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string']),
        ({"concurrencyPolicy": "Maybe"},
         ['spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"']),
        ({"startingDeadlineSeconds": -1},
         ["spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0"]),
    ],
)  # fmt: skip
def test_invalid(build: Build, create: Create, spec: Obj, expected: list[str]) -> None:
    assert create(cron_job(build, **spec)) == expected


def test_the_job_template_has_no_selector(build: Build, create: Create) -> None:
    obj = cron_job(build)
    obj["spec"]["jobTemplate"]["spec"] |= {"selector": {"matchLabels": {"a": "b"}}, "manualSelector": True}
    assert create(obj) == [
        'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
        'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
    ]


def test_the_name_leaves_room_for_its_jobs(build: Build, create: Create) -> None:
    obj = cron_job(build)
    obj["metadata"]["name"] = "a" * 53
    assert create(obj) == [f'metadata.name: Invalid value: "{"a" * 53}": must be no more than 52 characters']


def test_columns(build: Build, create: Create, kinds: dict[str, Kind]) -> None:
    obj = cron_job(build)
    create(obj)
    row = table.render(kinds["CronJob"].columns, [obj])["rows"][0]["cells"]
    assert row[:6] == ["x", "*/5 * * * *", "<none>", "False", 0, "<none>"]
    assert row[7:] == ["c", "n:1", "<none>"]
