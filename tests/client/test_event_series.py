"""Events as kube-scheduler writes them: once, then as a series, and never fatal."""

from __future__ import annotations

import pytest
from client.test_events import POD, Api

from kubelearn.client.event_series import SeriesRecorder
from kubelearn.client.rest import Client


@pytest.fixture
def api() -> Api:
    return Api()


async def fail(recorder: SeriesRecorder, note: str = "0/1 nodes are available") -> None:
    await recorder.event(POD, "Warning", "FailedScheduling", "Scheduling", note)


async def test_shape(api: Api) -> None:
    recorder = SeriesRecorder(Client(api), "default-scheduler")
    await recorder.event(POD, "Normal", "Scheduled", "Binding", "Successfully assigned shop/web to a")
    method, path, event = api.asked[0]
    assert (method, path) == ("POST", "/api/v1/namespaces/shop/events")
    assert event["source"] == {}
    assert event["reportingComponent"] == "default-scheduler"
    assert event["reportingInstance"].startswith("default-scheduler-")
    assert event["action"] == "Binding"
    assert event["eventTime"].endswith("Z")
    assert not {"firstTimestamp", "lastTimestamp", "count"} & event.keys()


async def test_the_same_again_becomes_a_series_written_once(api: Api) -> None:
    recorder = SeriesRecorder(Client(api), "default-scheduler")
    for number in range(4):
        await fail(recorder, f"note {number}")
    assert [method for method, _, _ in api.asked] == ["POST", "PATCH"]
    assert api.asked[1][2]["series"]["count"] == 2
    assert api.asked[0][2]["message"] == "note 0"


async def test_an_event_that_expired_is_written_anew(api: Api) -> None:
    recorder = SeriesRecorder(Client(api), "default-scheduler")
    await fail(recorder)
    api.status = 404
    await fail(recorder)
    assert [method for method, _, _ in api.asked] == ["POST", "PATCH", "POST"]


async def test_what_cannot_be_written_is_let_go(api: Api) -> None:
    api.status = 0
    await fail(SeriesRecorder(Client(api), "default-scheduler"))
    assert len(api.asked) == 1
