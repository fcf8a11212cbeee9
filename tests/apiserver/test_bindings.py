"""A pod's node: assigned through pods/binding, or through bindings, which is the same under another path."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import NS, Api, pod

from kubelearn.apiserver.auth import User


def binding(name: str = "p", **more: Any) -> Any:
    metadata = {"name": name, **more}
    return {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": {"kind": "Node", "name": "n1"}}


@pytest.fixture
async def uid(api: Api) -> str:
    await api.account()
    return str((await api.ok("POST", f"{NS}/pods", pod()))["metadata"]["uid"])


@pytest.mark.parametrize("path", [f"{NS}/bindings", f"{NS}/pods/p/binding"])
async def test_a_pod_gets_its_node(api: Api, uid: str, path: str) -> None:
    status, answer = await api("POST", path, binding(uid=uid, annotations={"a": "b"}))
    assert (status, answer["status"]) == (201, "Success")
    found = await api.ok("GET", f"{NS}/pods/p")
    assert (found["spec"]["nodeName"], found["metadata"]["annotations"]) == ("n1", {"a": "b"})
    status, refused = await api("POST", path, binding())
    assert (status, refused["reason"]) == (409, "Conflict")
    assert 'pod p is already assigned to node "n1"' in refused["message"]


@pytest.mark.parametrize("path", [f"{NS}/bindings", f"{NS}/pods/p/binding"])
async def test_what_cannot_be_bound(api: Api, uid: str, path: str) -> None:
    status, refused = await api("POST", path, binding(uid="of-the-pod-before"))
    assert (status, refused["reason"]) == (409, "Conflict")
    assert f"UID in precondition: of-the-pod-before, UID in object meta: {uid}" in refused["message"]
    status, refused = await api("POST", path, binding() | {"target": {"kind": "Pod", "name": ""}})
    assert (status, [c["field"] for c in refused["details"]["causes"]]) == (422, ["target.kind", "target.name"])
    await api.ok("POST", path + "?dryRun=All", binding())
    assert "nodeName" not in (await api.ok("GET", f"{NS}/pods/p"))["spec"]


async def test_the_older_path_asks_for_a_name_and_for_leave(api: Api, uid: str) -> None:
    assert (await api("POST", f"{NS}/bindings", binding("")))[1]["message"] == "Name parameter required."
    assert (await api("POST", f"{NS}/bindings", binding(namespace="other")))[0] == 400
    assert (await api("POST", f"{NS}/bindings", binding("missing")))[0] == 404
    assert (await api("GET", f"{NS}/bindings"))[0] == 405
    assert (await api("POST", f"{NS}/bindings", binding(), user=User("bob")))[0] == 403
    listed = {r["name"]: r for r in (await api.ok("GET", "/api/v1"))["resources"]}["bindings"]
    assert (listed["kind"], listed["namespaced"], listed["verbs"]) == ("Binding", True, ["create"])


async def test_a_gated_pod_waits(api: Api) -> None:
    await api.account()
    await api.ok("POST", f"{NS}/pods", pod("gated", schedulingGates=[{"name": "example.com/wait"}]))
    status, refused = await api("POST", f"{NS}/bindings", binding("gated"))
    assert (status, "has non-empty .spec.schedulingGates" in refused["message"]) == (409, True)
