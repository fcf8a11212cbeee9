"""Autoscaling: the arithmetic with and without metrics, how fast it goes, and a whole turn against the real API server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.plane import Plane

from kubelearn.api.kinds.horizontalpodautoscaler import RESOURCE as AUTOSCALERS
from kubelearn.api.resource import Obj
from kubelearn.controllers import _hpa_math
from kubelearn.controllers._hpa_math import Groups, Memory, Metric, Target
from kubelearn.controllers.base import DEPLOYMENTS, PODS
from kubelearn.kit import clock

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


def groups(ready: int, unready: int = 0, missing: int = 0) -> Groups:
    names = [f"p{n}" for n in range(ready + unready + missing)]
    return Groups(set(names[:ready]), set(names[ready : ready + unready]), set(names[ready + unready :]))


def wanted(uses: list[int], unready: int = 0, missing: int = 0, utilization: int = 50) -> int:
    """Of pods that request 1000m each, and use as much."""
    found = groups(len(uses), unready, missing)
    every = found.ready | found.unready | found.missing
    target = Target(utilization, requests=dict.fromkeys(every, 1000))
    metrics = dict(zip(sorted(found.ready), uses, strict=True))
    return _hpa_math.replicas(len(every), found, metrics, target)


@pytest.mark.parametrize(
    ("uses", "replicas"),
    [([500, 500], 2), ([540, 540], 2), ([600, 600], 3), ([1000, 1000], 4), ([100, 100, 100], 1), ([250], 1)],
)
def test_as_many_as_the_average_asks_for(uses: list[int], replicas: int) -> None:
    assert wanted(uses) == replicas


def test_pods_without_metrics_hold_back_either_way() -> None:
    assert wanted([1000], missing=1) == 2, "they might use nothing"
    assert wanted([1000, 1000], missing=1) == 4
    assert wanted([100, 100], missing=1) == 3, "they might use all"


def test_pods_that_are_not_ready_are_taken_to_use_nothing() -> None:
    assert wanted([1000], unready=1) == 2
    assert wanted([2000], unready=1) == 4


def test_an_average_value_needs_no_requests() -> None:
    found = groups(2)
    assert _hpa_math.replicas(2, found, dict.fromkeys(found.ready, 300), Target(value=100)) == 6


def pod(name: str, phase: str = "Running", ready: str = "True", age: float = 600, since: float = 590) -> Obj:
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": clock.rfc3339(NOW - timedelta(seconds=since))}
    status = {"phase": phase, "startTime": clock.rfc3339(NOW - timedelta(seconds=age)), "conditions": [condition]}
    return {"metadata": {"name": name}, "spec": {}, "status": status}


def test_which_pods_count() -> None:
    fresh = Metric(1, NOW - timedelta(seconds=5), timedelta(seconds=10))
    pods = [
        pod("good"),
        pod("silent"),
        pod("pending", phase="Pending"),
        pod("failed", phase="Failed"),
        pod("starting", age=20, since=10),
        pod("never", ready="False", age=600, since=600),
        {**pod("going"), "metadata": {"name": "going", "deletionTimestamp": clock.rfc3339(NOW)}},
    ]
    metrics = {p["metadata"]["name"]: fresh for p in pods if p["metadata"]["name"] != "silent"}
    found = _hpa_math.group(pods, metrics, "cpu", NOW)
    assert (found.ready, found.missing) == ({"good"}, {"silent"})
    assert found.unready == {"pending", "starting", "never"}
    assert "starting" in _hpa_math.group(pods, metrics, "memory", NOW).ready, "memory is believed at once"


def paced(current: int, target: int, memory: Memory | None = None, **spec: Any) -> _hpa_math.Paced:
    return _hpa_math.paced({"minReplicas": 1, "maxReplicas": 100, **spec}, current, target, memory or Memory(), NOW)


def test_up_no_faster_than_double_and_down_only_after_five_minutes() -> None:
    assert (paced(10, 50).replicas, paced(10, 50).limited[1]) == (20, "ScaleUpLimit")
    assert paced(1, 50).replicas == 4
    lately = Memory(recommended=[(NOW - timedelta(minutes=4), 9)])
    found = paced(10, 2, lately)
    assert (found.replicas, found.able[0]) == (9, "ScaleDownStabilized")
    assert paced(10, 2, Memory(recommended=[(NOW - timedelta(minutes=6), 9)])).replicas == 2


def test_bounds_are_said() -> None:
    assert paced(5, 9, maxReplicas=7).limited[1] == "TooManyReplicas"
    assert paced(5, 0, minReplicas=2).limited[1] == "TooFewReplicas"
    assert paced(5, 6).limited[:2] == ("False", "DesiredWithinRange")


def rules(*policies: tuple[str, int, int], select: str = "Max", window: int = 0) -> Obj:
    found = [{"type": t, "value": v, "periodSeconds": p} for t, v, p in policies]
    return {"policies": found, "selectPolicy": select, "stabilizationWindowSeconds": window}


def test_policies_limit_what_is_done_in_their_period() -> None:
    behavior = {"scaleUp": rules(("Pods", 4, 60), ("Percent", 50, 60)), "scaleDown": rules(("Pods", 1, 60))}
    assert paced(4, 50, behavior=behavior).replicas == 8
    done = Memory(changes=[(NOW - timedelta(seconds=30), 3)])
    assert paced(7, 50, done, behavior=behavior).replicas == 8, "three of four are done"
    assert paced(10, 1, behavior=behavior).replicas == 9
    behavior["scaleUp"]["selectPolicy"] = "Min"
    assert paced(4, 50, behavior=behavior).replicas == 6
    behavior["scaleUp"]["selectPolicy"] = "Disabled"
    assert paced(4, 50, behavior=behavior).replicas == 4


async def autoscaled(plane: Plane, **spec: Any) -> None:
    labels = {"app": "web"}
    container = {"name": "web", "image": "web:v1", "resources": {"requests": {"cpu": "100m"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    await plane.admin.create(DEPLOYMENTS, {"metadata": {"name": "web", "namespace": "shop"}, "spec": deployment})
    await plane.count(PODS, 1)
    await plane.play_kubelet()
    (pod,) = await plane.all(PODS)
    started = {"status": {"startTime": clock.rfc3339(clock.utc_now() - timedelta(minutes=10))}}
    await plane.admin.patch(PODS, pod["metadata"]["name"], "shop", started, subresource="status")
    whole = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 3, **spec}
    await plane.admin.create(AUTOSCALERS, {"metadata": {"name": "web", "namespace": "shop"}, "spec": whole})


def summary(pod: Obj, ago: int, nanoseconds: int) -> Obj:
    """A kubelet's, of one pod."""
    at = clock.rfc3339(clock.utc_now() - timedelta(seconds=ago))
    cpu, memory = {"time": at, "usageCoreNanoSeconds": nanoseconds}, {"workingSetBytes": 1 << 20}
    containers = [{"name": "web", "cpu": cpu, "memory": memory}]
    return {"node": {}, "pods": [{"podRef": {"uid": pod["metadata"]["uid"]}, "containers": containers}]}


async def conditions(plane: Plane) -> dict[str, tuple[str, str]]:
    found = await plane.admin.get(AUTOSCALERS, "web", "shop")
    return {c["type"]: (c["status"], c["reason"]) for c in found["status"].get("conditions") or ()}


async def test_load_brings_more_pods(plane: Plane) -> None:
    await plane.count(PODS, 0)
    await autoscaled(plane, minReplicas=1)

    async def told() -> bool:
        return (await conditions(plane)).get("ScalingActive") == ("False", "FailedGetResourceMetric")

    await plane.until(told)
    (pod,) = await plane.all(PODS)
    for ago, cpu in ((10, 0), (0, 2_000_000_000)):  # 200m of 100m
        plane.server.usage.sample("worker-1", summary(pod, ago, cpu))
    await plane.admin.patch(AUTOSCALERS, "web", "shop", {"spec": {"maxReplicas": 5}})

    async def scaled() -> bool:
        return bool((await plane.admin.get(DEPLOYMENTS, "web", "shop"))["spec"]["replicas"] == 3)

    await plane.until(scaled)

    async def noted() -> bool:
        return bool((await plane.admin.get(AUTOSCALERS, "web", "shop"))["status"].get("lastScaleTime"))

    await plane.until(noted)
    found = await conditions(plane)
    assert found["AbleToScale"] == ("True", "SucceededRescale")
    assert found["ScalingActive"] == ("True", "ValidMetricFound")
    status = (await plane.admin.get(AUTOSCALERS, "web", "shop"))["status"]
    (metric,) = status["currentMetrics"]
    assert metric["resource"]["current"] == {"averageUtilization": 200, "averageValue": "200m"}
    assert "New size: 3; reason: cpu resource utilization (percentage of request) above target" in await plane.events()


async def test_bounds_need_no_metrics(plane: Plane) -> None:
    await autoscaled(plane, minReplicas=2)

    async def scaled() -> bool:
        return bool((await plane.admin.get(DEPLOYMENTS, "web", "shop"))["spec"]["replicas"] == 2)

    await plane.until(scaled)
    await plane.until(lambda: _said(plane, "New size: 2; reason: Current number of replicas below Spec.MinReplicas"))


async def _said(plane: Plane, message: str) -> bool:
    return message in await plane.events()


async def test_a_target_that_is_not_there(plane: Plane) -> None:
    await plane.admin.create(
        AUTOSCALERS,
        {
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "no"}, "maxReplicas": 3},
        },
    )

    async def told() -> bool:
        return (await conditions(plane)).get("AbleToScale") == ("False", "FailedGetScale")

    await plane.until(told)
    assert 'deployments.apps "no" not found' in await plane.events()
