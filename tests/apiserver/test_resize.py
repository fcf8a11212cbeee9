"""pods/resize: read, and refused with what to do instead."""

from __future__ import annotations

from support.api import NS, Api, pod

PATH = f"{NS}/pods/p/resize"


async def test_a_refusal_says_what_to_do(api: Api) -> None:
    await api.account()
    made = await api.ok("POST", f"{NS}/pods", pod())
    assert await api.ok("GET", PATH) == made
    limits = {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "1"}}}]}}
    status, refused = await api.patch(PATH, limits, "strategic-merge")
    assert (status, refused["reason"]) == (501, "NotImplemented")
    assert "kubectl set resources deployment/NAME" in refused["message"]
    assert (await api("PUT", PATH, made))[0] == 501
    assert await api.ok("GET", f"{NS}/pods/p") == made


async def test_of_no_pod_and_by_another_verb(api: Api) -> None:
    assert (await api("GET", PATH))[0] == 404
    assert (await api.patch(PATH, {}, "merge"))[0] == 404
    assert (await api("DELETE", PATH))[0] == 405
