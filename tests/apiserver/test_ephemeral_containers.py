"""pods/ephemeralcontainers: only that part is written, and what is there stays as it is."""

from __future__ import annotations

from typing import Any

from support.api import NS, Api, pod

PATH = f"{NS}/pods/p/ephemeralcontainers"
DEBUGGER = {"name": "debugger", "image": "busybox:1", "stdin": True, "targetContainerName": "c"}


async def add(api: Api, *containers: Any, **rest: Any) -> tuple[int, Any]:
    return await api.patch(PATH, {"spec": {"ephemeralContainers": list(containers), **rest}}, "strategic-merge")


async def test_one_is_added_and_nothing_else_changes(api: Api) -> None:
    await api.account()
    await api.ok("POST", f"{NS}/pods", pod())
    status, made = await add(api, DEBUGGER, activeDeadlineSeconds=5)
    assert status == 200, made
    (container,) = made["spec"]["ephemeralContainers"]
    assert (container["name"], container["terminationMessagePath"]) == ("debugger", "/dev/termination-log")
    assert "activeDeadlineSeconds" not in made["spec"]
    assert made["metadata"]["generation"] == 2
    assert (await api.ok("GET", PATH))["spec"]["ephemeralContainers"] == [container]


async def test_what_is_there_may_be_neither_changed_nor_removed(api: Api) -> None:
    await api.account()
    await api.ok("POST", f"{NS}/pods", pod())
    await add(api, DEBUGGER)
    _, refused = await add(api, {**DEBUGGER, "image": "other:1"})
    assert refused["details"]["causes"][0]["message"] == (
        'Forbidden: existing ephemeral containers "debugger" may not be changed\n'
    )
    current = await api.ok("GET", PATH)
    del current["spec"]["ephemeralContainers"]
    _, refused = await api("PUT", PATH, current)
    assert "may not be removed" in refused["message"]


async def test_a_name_is_taken_once(api: Api) -> None:
    await api.account()
    await api.ok("POST", f"{NS}/pods", pod())
    status, refused = await add(api, {**DEBUGGER, "name": "c"})
    assert (status, refused["details"]["causes"][0]["field"]) == (422, "spec.ephemeralContainers[0].name")


async def test_a_pod_cannot_be_made_with_one(api: Api) -> None:
    await api.account()
    status, refused = await api("POST", f"{NS}/pods", pod(ephemeralContainers=[DEBUGGER]))
    assert (status, refused["details"]["causes"][0]["message"]) == (422, "Forbidden: cannot be set on create")


async def test_pod_security_looks_at_them(api: Api) -> None:
    await api.account()
    await api.ok("POST", f"{NS}/pods", pod())
    await api.patch(NS, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}})
    status, refused = await add(api, {**DEBUGGER, "securityContext": {"privileged": True}})
    assert (status, "violates PodSecurity" in refused["message"]) == (403, True)
