"""One stored object under two versions, and what admission finds in classes."""

from __future__ import annotations

from support.api import NS, Api, pod

HPAS = "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers"
SPEC = {
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
    "maxReplicas": 5,
    "targetCPUUtilizationPercentage": 50,
}


async def test_an_autoscaler_is_one_object_in_both_versions(api: Api) -> None:
    made = await api.ok("POST", HPAS.format("v1"), {"metadata": {"name": "h"}, "spec": SPEC})
    assert (made["apiVersion"], made["spec"]) == ("autoscaling/v1", SPEC | {"minReplicas": 1})
    seen = await api.ok("GET", HPAS.format("v2") + "/h")
    assert seen["apiVersion"] == "autoscaling/v2"
    assert seen["spec"]["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 50}
    listed = await api.ok("GET", HPAS.format("v1"))
    assert (listed["apiVersion"], listed["items"][0]["spec"]["targetCPUUtilizationPercentage"]) == (
        "autoscaling/v1",
        50,
    )


async def test_a_patch_has_the_shape_of_its_version(api: Api) -> None:
    await api.ok("POST", HPAS.format("v1"), {"metadata": {"name": "h"}, "spec": SPEC})
    change = {"spec": {"targetCPUUtilizationPercentage": 60}}
    headers = {"content-type": "application/merge-patch+json"}
    status, old = await api("PATCH", HPAS.format("v1") + "/h?fieldValidation=Strict", change, headers=headers)
    assert (status, old["spec"]["targetCPUUtilizationPercentage"]) == (200, 60)
    status, refused = await api("PATCH", HPAS.format("v2") + "/h?fieldValidation=Strict", change, headers=headers)
    assert (status, 'unknown field "spec.targetCPUUtilizationPercentage"' in refused["message"]) == (400, True)


async def test_an_event_is_one_object_in_both_groups(api: Api) -> None:
    event = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
             "message": "m"}  # fmt: skip
    await api.ok("POST", f"{NS}/events", event)
    new = await api.ok("GET", "/apis/events.k8s.io/v1/namespaces/default/events/e")
    assert (new["apiVersion"], new["note"], new["regarding"]["name"]) == ("events.k8s.io/v1", "m", "p")


async def test_pods_get_the_default_priority(api: Api) -> None:
    await api.account()
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    await api.ok("POST", classes, {"metadata": {"name": "c"}, "value": 7, "globalDefault": True})
    status, refused = await api("POST", classes, {"metadata": {"name": "d"}, "value": 8, "globalDefault": True})
    assert (status, "already marked as default" in refused["message"]) == (403, True)
    spec = (await api.ok("POST", f"{NS}/pods", pod()))["spec"]
    assert (spec["priorityClassName"], spec["priority"]) == ("c", 7)
