"""metrics.k8s.io: from kubelets' samples to what `kubectl top` and autoscalers read."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import NS, Api, pod

from kubelearn.api.resource import Obj

ROOT = "/apis/metrics.k8s.io/v1beta1"
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def _stat(name: str, at: int, cpu: float, memory: int) -> Obj:
    time = f"2026-01-02T03:04:{at:02}.000000Z"
    return {
        "name": name,
        "cpu": {"time": time, "usageCoreNanoSeconds": int(cpu * 1e9)},
        "memory": {"time": time, "workingSetBytes": memory},
    }


def _summary(uid: str, at: int, cpu: float, *more: Obj) -> Obj:
    """A kubelet that uses a tenth of a CPU, and a pod."""
    node = {"nodeName": "worker-1", "systemContainers": [_stat("kubelet", at, at / 10, 10 << 20)]}
    return {"node": node, "pods": [{"podRef": {"uid": uid}, "containers": [_stat("c", at, cpu, 5 << 20), *more]}]}


@pytest.fixture
async def uid(api: Api) -> str:
    await api.account()
    await api.ok("POST", "/api/v1/nodes", {"metadata": {"name": "worker-1"}})
    made: Any = await api.ok("POST", f"{NS}/pods", pod("p", nodeName="worker-1"))
    return str(made["metadata"]["uid"])


async def test_usage_is_a_rate_between_two_samples(api: Api, uid: str) -> None:
    usage = api.server.usage
    usage.sample("worker-1", _summary(uid, 10, 1.0))
    assert (await api.ok("GET", f"{ROOT}/pods"))["items"] == []
    usage.sample("worker-1", _summary(uid, 20, 3.5))
    [found] = (await api.ok("GET", f"{ROOT}/namespaces/default/pods"))["items"]
    assert (found["window"], found["timestamp"]) == ("10s", "2026-01-02T03:04:20Z")
    assert found["containers"] == [{"name": "c", "usage": {"cpu": "250000000n", "memory": "5120Ki"}}]
    node = await api.ok("GET", f"{ROOT}/nodes/worker-1")
    assert (node["kind"], node["usage"]) == ("NodeMetrics", {"cpu": "350000000n", "memory": "15360Ki"})
    table = await api.ok("GET", f"{ROOT}/pods", headers=TABLE)
    assert table["rows"][0]["cells"] == ["p", "250m", "5Mi", "10s"]


async def test_a_restarted_or_new_container_is_measured_anew(api: Api, uid: str) -> None:
    usage = api.server.usage
    for at, cpu in ((10, 5.0), (20, 6.0), (30, 0.5)):
        usage.sample("worker-1", _summary(uid, at, cpu))
    assert (await api.ok("GET", f"{ROOT}/pods"))["items"] == []
    usage.sample("worker-1", _summary(uid, 40, 1.5, _stat("late", 40, 1.0, 1)))
    assert (await api.ok("GET", f"{ROOT}/pods"))["items"] == []
    usage.sample("worker-1", _summary(uid, 50, 2.5, _stat("late", 50, 1.0, 1)))
    [found] = (await api.ok("GET", f"{ROOT}/pods"))["items"]
    assert [(c["name"], c["usage"]["cpu"]) for c in found["containers"]] == [("c", "100000000n"), ("late", "0")]


async def test_who_has_no_metrics(api: Api, uid: str) -> None:
    status, found = await api("GET", f"{ROOT}/namespaces/default/pods/p")
    assert (status, found["message"]) == (404, 'podmetrics.metrics.k8s.io "default/p" not found')
    status, found = await api("GET", f"{ROOT}/namespaces/default/pods/other")
    assert (status, found["message"]) == (404, 'pods "other" not found')
    status, found = await api("GET", f"{ROOT}/nodes/worker-1")
    assert (status, found["message"]) == (404, 'nodemetrics.metrics.k8s.io "worker-1" not found')
    for at in (10, 20):
        api.server.usage.sample("worker-1", _summary(uid, at, 1.0))
    assert len((await api.ok("GET", f"{ROOT}/nodes"))["items"]) == 1
    assert (await api.ok("GET", f"{ROOT}/pods?labelSelector=app=none"))["items"] == []
    api.server.usage.forget("worker-1")
    assert (await api.ok("GET", f"{ROOT}/nodes"))["items"] == []
    assert (await api("DELETE", f"{ROOT}/namespaces/default/pods/p"))[0] == 405
