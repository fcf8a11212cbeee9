"""Deletion: grace for pods, finalizers, propagation, preconditions, namespaces, collections."""

from __future__ import annotations

import pytest
from support.api import NS, Api, configmap, pod

MAPS, PODS = f"{NS}/configmaps", f"{NS}/pods"


async def running(api: Api, name: str = "p") -> None:
    await api.account()
    await api.ok("POST", PODS, pod(name))
    await api.ok("POST", f"{PODS}/{name}/binding", {"target": {"kind": "Node", "name": "n1"}})


async def test_at_once(api: Api) -> None:
    made = await api.ok("POST", MAPS, configmap())
    answer = await api.ok("DELETE", f"{MAPS}/c")
    assert answer["status"] == "Success"
    assert answer["details"] == {"name": "c", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    assert (await api("GET", f"{MAPS}/c"))[0] == 404


async def test_a_running_pod_has_its_grace(api: Api) -> None:
    await running(api)
    going = await api.ok("DELETE", f"{PODS}/p")
    assert going["metadata"]["deletionGracePeriodSeconds"] == 30
    shorter = await api.ok("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 5})
    assert shorter["metadata"]["deletionGracePeriodSeconds"] == 5
    assert shorter["metadata"]["deletionTimestamp"] < going["metadata"]["deletionTimestamp"]
    longer = await api.ok("DELETE", f"{PODS}/p?gracePeriodSeconds=60")
    assert longer["metadata"]["deletionGracePeriodSeconds"] == 5
    await api.ok("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 0})
    assert (await api("GET", f"{PODS}/p"))[0] == 404


async def test_a_pod_without_a_node_goes_at_once(api: Api) -> None:
    await api.account()
    await api.ok("POST", PODS, pod())
    await api.ok("DELETE", f"{PODS}/p")
    assert (await api("GET", f"{PODS}/p"))[0] == 404


async def test_eviction_is_a_deletion(api: Api) -> None:
    await running(api)
    body = {"deleteOptions": {"gracePeriodSeconds": 1}}
    status, answer = await api("POST", f"{PODS}/p/eviction", body)
    assert (status, answer["status"]) == (201, "Success")
    assert (await api.ok("GET", f"{PODS}/p"))["metadata"]["deletionGracePeriodSeconds"] == 1


async def test_finalizers_hold(api: Api) -> None:
    body = configmap()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await api.ok("POST", MAPS, body)
    going = await api.ok("DELETE", f"{MAPS}/c")
    assert going["metadata"]["deletionTimestamp"]
    status, refused = await api.patch(f"{MAPS}/c", {"metadata": {"finalizers": ["example.com/hold", "example.com/x"]}})
    assert status == 422
    assert "no new finalizers can be added if the object is being deleted" in refused["message"]
    await api.patch(f"{MAPS}/c", {"metadata": {"finalizers": None}})
    assert (await api("GET", f"{MAPS}/c"))[0] == 404


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
async def test_propagation_is_left_to_the_garbage_collector(api: Api, policy: str, finalizer: str) -> None:
    await api.ok("POST", MAPS, configmap())
    going = await api.ok("DELETE", f"{MAPS}/c", {"propagationPolicy": policy})
    assert going["metadata"]["finalizers"] == [finalizer]
    assert (await api("DELETE", f"{MAPS}/c", {"propagationPolicy": "Sideways"}))[0] == 422


async def test_preconditions(api: Api) -> None:
    made = await api.ok("POST", MAPS, configmap())
    status, refused = await api("DELETE", f"{MAPS}/c", {"preconditions": {"uid": "other"}})
    assert (status, refused["reason"]) == (409, "Conflict")
    await api.ok("DELETE", f"{MAPS}/c", {"preconditions": {"uid": made["metadata"]["uid"]}})


async def test_namespaces_end_when_they_are_finalized(api: Api) -> None:
    await api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
    going = await api.ok("DELETE", "/api/v1/namespaces/shop")
    assert (going["status"]["phase"], going["spec"]["finalizers"]) == ("Terminating", ["kubernetes"])
    status, refused = await api("POST", "/api/v1/namespaces/shop/configmaps", configmap())
    assert (status, refused["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
    await api.ok("PUT", "/api/v1/namespaces/shop/finalize", {**going, "spec": {"finalizers": []}})
    assert (await api("GET", "/api/v1/namespaces/shop"))[0] == 404
    assert (await api("DELETE", "/api/v1/namespaces/default"))[0] == 403


async def test_a_collection(api: Api) -> None:
    for number in range(4):
        await api.ok("POST", MAPS, configmap(f"c{number}", {"odd": str(number % 2)}))
    await api.ok("DELETE", f"{MAPS}?labelSelector=odd=1")
    assert [o["metadata"]["name"] for o in (await api.ok("GET", MAPS))["items"]] == ["c0", "c2"]


async def test_dry_run(api: Api) -> None:
    await api.ok("POST", MAPS, configmap())
    await api.ok("DELETE", f"{MAPS}/c?dryRun=All")
    await api.ok("DELETE", f"{MAPS}/c", {"dryRun": ["All"]})
    await api.ok("GET", f"{MAPS}/c")
