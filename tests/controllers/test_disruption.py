"""Disruption budgets and evictions, against the real API server."""

from __future__ import annotations

from typing import Any

import pytest
from support.plane import Plane

from kubelearn.api.errors import ApiError
from kubelearn.api.kinds.poddisruptionbudget import RESOURCE as BUDGETS
from kubelearn.api.resource import Obj
from kubelearn.controllers.base import DEPLOYMENTS, PODS

LABELS = {"app": "web"}
WEB: Obj = {
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "web", "image": "web:v1"}]}},
    },
}


async def budget(plane: Plane, **spec: Any) -> None:
    whole = {"selector": {"matchLabels": LABELS}, **spec}
    await plane.admin.create(BUDGETS, {"metadata": {"name": "b", "namespace": "shop"}, "spec": whole})


async def status(plane: Plane) -> Obj:
    found: Obj = (await plane.admin.get(BUDGETS, "b", "shop")).get("status") or {}
    return found


async def settles(plane: Plane, **wanted: int) -> None:
    async def right() -> bool:
        found = await status(plane)
        return all(found.get(name) == value for name, value in wanted.items())

    await plane.until(right)


async def web(plane: Plane) -> list[str]:
    await plane.admin.create(DEPLOYMENTS, WEB)
    await plane.count(PODS, 3)
    await plane.play_kubelet()
    return sorted(pod["metadata"]["name"] for pod in await plane.all(PODS))


async def evict(plane: Plane, name: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "shop"}}
    await plane.admin.create(PODS, body, "shop", subresource="eviction", name=name)


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [
        ({"minAvailable": 2}, 2, 1),
        ({"minAvailable": "50%"}, 2, 1),
        ({"maxUnavailable": 1}, 2, 1),
        ({"maxUnavailable": "100%"}, 0, 3),
    ],
)
async def test_what_may_go_is_counted(plane: Plane, spec: Any, desired: int, allowed: int) -> None:
    await budget(plane, **spec)
    await web(plane)
    await settles(plane, currentHealthy=3, desiredHealthy=desired, expectedPods=3, disruptionsAllowed=allowed)
    (condition,) = (await status(plane))["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "DisruptionAllowed",
        "True",
        "SufficientPods",
    )


async def test_an_eviction_takes_what_may_go_and_the_next_one_waits(plane: Plane) -> None:
    await budget(plane, minAvailable=2)
    first, second, _ = await web(plane)
    await settles(plane, disruptionsAllowed=1)
    await evict(plane, first)
    with pytest.raises(ApiError) as refused:
        await evict(plane, second)
    assert (refused.value.code, refused.value.message) == (
        429,
        "Cannot evict pod as it would violate the pod's disruption budget.",
    )
    details = refused.value.details or {}
    assert details["causes"][0]["reason"] == "DisruptionBudget"
    await plane.count(PODS, 4)
    await plane.play_kubelet()  # it ends, and its successor becomes ready
    await settles(plane, currentHealthy=3, disruptionsAllowed=1)
    assert "disruptedPods" not in await status(plane)
    await evict(plane, second)


async def test_a_pod_that_serves_nobody_may_always_go(plane: Plane) -> None:
    await budget(plane, minAvailable=3)
    await plane.admin.create(DEPLOYMENTS, WEB)
    await plane.count(PODS, 3)
    await settles(plane, currentHealthy=0, disruptionsAllowed=0)
    await evict(plane, (await plane.all(PODS))[0]["metadata"]["name"])


async def test_two_budgets_of_one_pod_are_an_error(plane: Plane) -> None:
    await budget(plane, minAvailable=1)
    second = {"metadata": {"name": "c", "namespace": "shop"}, "spec": {"selector": {}, "minAvailable": 1}}
    await plane.admin.create(BUDGETS, second)
    name, *_ = await web(plane)
    with pytest.raises(ApiError, match="more than one PodDisruptionBudget") as refused:
        await evict(plane, name)
    assert refused.value.code == 500


async def test_a_budget_without_pods_says_so(plane: Plane) -> None:
    await budget(plane, minAvailable=1)
    await settles(plane, observedGeneration=1, expectedPods=0, disruptionsAllowed=0)
    assert "No matching pods found" in await plane.events()
