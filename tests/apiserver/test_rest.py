"""Objects over their life: create, read, list in pages, replace, patch."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.api import NS, Api, configmap

MAPS = f"{NS}/configmaps"


async def test_what_every_cluster_has(api: Api) -> None:
    names = [n["metadata"]["name"] for n in (await api.ok("GET", "/api/v1/namespaces"))["items"]]
    assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]
    service = await api.ok("GET", f"{NS}/services/kubernetes")
    assert service["spec"]["clusterIP"] == "10.96.0.1"
    assert (await api.ok("GET", "/api/v1/namespaces/default"))["metadata"]["labels"] == {
        "kubernetes.io/metadata.name": "default"
    }


async def test_a_new_object_gets_identity_and_version(api: Api) -> None:
    made = await api.ok("POST", MAPS, configmap(a="1"))
    about = made["metadata"]
    assert about["namespace"] == "default"
    assert about["uid"]
    assert about["creationTimestamp"]
    assert int(about["resourceVersion"]) == api.server.store.revision
    assert await api.ok("GET", f"{MAPS}/c") == made


async def test_generate_name(api: Api) -> None:
    body = {"metadata": {"generateName": "x-"}}
    names = {(await api.ok("POST", MAPS, body))["metadata"]["name"] for _ in range(20)}
    assert len(names) == 20
    assert all(n.startswith("x-") and len(n) == 7 for n in names)


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "message"),
    [
        ("GET", f"{MAPS}/no", None, 404, 'configmaps "no" not found'),
        ("DELETE", f"{MAPS}/no", None, 404, 'configmaps "no" not found'),
        ("PUT", f"{MAPS}/no", configmap("no"), 404, 'configmaps "no" not found'),
        ("POST", "/api/v1/namespaces/no/configmaps", configmap(), 404, 'namespaces "no" not found'),
        ("POST", f"{NS}/widgets", {}, 404, "the server could not find the requested resource"),
        ("GET", "/api/v1/configmaps/c", None, 404, "the server could not find the requested resource"),
        ("GET", "/api/v1/namespaces/default/nodes", None, 404, "the server could not find the requested resource"),
        ("PUT", MAPS, configmap(), 405, "the server does not allow this method on the requested resource"),
        (
            "PUT",
            f"{MAPS}/c",
            configmap("d"),
            400,
            "the name of the object (d) does not match the name on the URL (c)",
        ),
        (
            "POST",
            MAPS,
            {"metadata": {"name": "x", "namespace": "kube-system"}},
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            "POST",
            f"{MAPS}?fieldValidation=Strict",
            {**configmap(), "colour": "red"},
            400,
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "colour"',
        ),
        ("GET", f"{MAPS}?labelSelector=a!!b", None, 400, None),
        ("GET", f"{MAPS}?fieldSelector=data.x%3D1", None, 400, None),
        ("GET", f"{MAPS}?limit=many", None, 400, None),
        ("GET", f"{MAPS}?continue=rubbish", None, 400, None),
        ("GET", f"{MAPS}?resourceVersion=new", None, 400, None),
    ],
)
async def test_refusals(api: Api, method: str, path: str, body: Any, code: int, message: str | None) -> None:
    status, found = await api(method, path, body)
    assert (status, found["kind"], found["status"], found["code"]) == (code, "Status", "Failure", code)
    if message is not None:
        assert found["message"] == message


async def test_twice_is_once(api: Api) -> None:
    await api.ok("POST", MAPS, configmap())
    status, found = await api("POST", MAPS, configmap())
    assert (status, found["reason"], found["message"]) == (409, "AlreadyExists", 'configmaps "c" already exists')


async def test_unknown_paths_answer_in_plain_text(api: Api) -> None:
    answer = await api.send("GET", "/apis/no.such.group/v1/things")
    assert (answer.status, answer.body) == (404, b"404 page not found\n")


async def test_dry_run_writes_nothing(api: Api) -> None:
    before = api.server.store.revision
    made = await api.ok("POST", f"{MAPS}?dryRun=All", configmap())
    assert made["metadata"]["uid"]
    assert "resourceVersion" not in made["metadata"]
    assert api.server.store.revision == before
    assert (await api("GET", f"{MAPS}/c"))[0] == 404


async def test_warnings_are_headers(api: Api) -> None:
    answer = await api.send("POST", MAPS, {**configmap(), "colour": "red"})
    assert answer.status == 201
    assert answer.headers["warning"] == '299 - "unknown field \\"colour\\""'


async def test_pages_hold_one_revision(api: Api) -> None:
    for number in range(5):
        await api.ok("POST", MAPS, configmap(f"c{number}", {"odd": str(number % 2)}))
    page = await api.ok("GET", f"{MAPS}?limit=2")
    assert page["metadata"]["remainingItemCount"] == 3
    await api.ok("DELETE", f"{MAPS}/c4")
    seen = [o["metadata"]["name"] for o in page["items"]]
    while token := page["metadata"].get("continue"):
        page = await api.ok("GET", f"{MAPS}?limit=2&continue={token}")
        seen += [o["metadata"]["name"] for o in page["items"]]
    assert seen == ["c0", "c1", "c2", "c3", "c4"]


async def test_pages_of_a_selection_are_full(api: Api) -> None:
    for number in range(9):
        await api.ok("POST", MAPS, configmap(f"c{number}", {"third": str(number % 3 == 0)}))
    page = await api.ok("GET", f"{MAPS}?limit=2&labelSelector=third=True")
    assert [o["metadata"]["name"] for o in page["items"]] == ["c0", "c3"]
    rest = await api.ok("GET", f"{MAPS}?limit=2&labelSelector=third=True&continue={page['metadata']['continue']}")
    assert [o["metadata"]["name"] for o in rest["items"]] == ["c6"]
    assert "continue" not in rest["metadata"]


async def test_lists_of_the_past_and_of_the_future(api: Api) -> None:
    first = await api.ok("POST", MAPS, configmap("c1"))
    await api.ok("POST", MAPS, configmap("c2"))
    revision = first["metadata"]["resourceVersion"]
    old = await api.ok("GET", f"{MAPS}?resourceVersion={revision}&resourceVersionMatch=Exact")
    assert [o["metadata"]["name"] for o in old["items"]] == ["c1"]
    status, late = await api("GET", f"{MAPS}?resourceVersion=999999")
    assert (status, late["reason"]) == (504, "Timeout")
    assert late["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    await api.server.store.compact(int(revision) + 1)
    status, gone = await api("GET", f"{MAPS}?resourceVersion={revision}&resourceVersionMatch=Exact")
    assert (status, gone["reason"]) == (410, "Expired")


async def test_optimistic_locking(api: Api) -> None:
    made = await api.ok("POST", MAPS, configmap(a="1"))
    await api.ok("PUT", f"{MAPS}/c", {**made, "data": {"a": "2"}})
    status, found = await api("PUT", f"{MAPS}/c", {**made, "data": {"a": "3"}})
    assert (status, found["reason"]) == (409, "Conflict")
    assert "please apply your changes to the latest version" in found["message"]
    unconditional = await api.ok("PUT", f"{MAPS}/c", configmap(a="4"))
    assert unconditional["data"] == {"a": "4"}
    assert unconditional["metadata"]["uid"] == made["metadata"]["uid"]
    stranger = {**configmap(), "metadata": {"name": "c", "uid": "other"}}
    status, found = await api("PUT", f"{MAPS}/c", stranger)
    assert status == 409
    assert "Precondition failed: UID in precondition: other" in found["message"]


async def test_patches_race_without_loss(api: Api) -> None:
    await api.ok("POST", MAPS, configmap())
    many = [api.patch(f"{MAPS}/c", {"data": {f"k{n}": str(n)}}) for n in range(6)]
    assert {status for status, _ in await asyncio.gather(*many)} == {200}
    assert len((await api.ok("GET", f"{MAPS}/c"))["data"]) == 6


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("merge", {"data": {"a": None, "b": "2"}}),
        ("strategic-merge", {"data": {"a": None, "b": "2"}}),
        ("json", [{"op": "remove", "path": "/data/a"}, {"op": "add", "path": "/data/b", "value": "2"}]),
    ],
)
async def test_the_three_patches(api: Api, kind: str, body: Any) -> None:
    await api.ok("POST", MAPS, configmap(a="1"))
    status, found = await api.patch(f"{MAPS}/c", body, kind)
    assert (status, found["data"]) == (200, {"b": "2"})


async def test_a_patch_that_changes_nothing_keeps_the_version(api: Api) -> None:
    made = await api.ok("POST", MAPS, configmap(a="1"))
    status, found = await api.patch(f"{MAPS}/c", {"data": {"a": "1"}})
    assert (status, found) == (200, made)


async def test_patches_that_fail(api: Api) -> None:
    await api.ok("POST", MAPS, configmap(a="1"))
    status, found = await api.patch(f"{MAPS}/c", [{"op": "test", "path": "/data/a", "value": "2"}], "json")
    assert (status, found["message"]) == (422, "the server rejected our request due to an error in our request")
    status, found = await api.patch(f"{MAPS}/c", {"data": {"a": "1"}}, "json")
    assert status == 400
    status, found = await api.patch(f"{MAPS}/c", {"a": 1}, "apply")
    assert (status, found["reason"]) == (415, "UnsupportedMediaType")


async def test_status_is_apart(api: Api) -> None:
    node = {"metadata": {"name": "n"}, "status": {"phase": "x"}}
    await api.ok("POST", "/api/v1/nodes", node)
    status, found = await api.patch("/api/v1/nodes/n", {"status": {"capacity": {"cpu": "2"}}})
    assert "capacity" not in found["status"]
    change = {"spec": {"unschedulable": True}, "status": {"capacity": {"cpu": "2"}}}
    status, found = await api.patch("/api/v1/nodes/n/status", change)
    assert (status, found["status"]["capacity"]) == (200, {"cpu": "2"})
    assert "unschedulable" not in found["spec"]


async def test_generation_counts_changes_of_the_spec(api: Api) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    path = "/apis/apps/v1/namespaces/default/deployments"
    made = await api.ok("POST", path, {"metadata": {"name": "d"}, "spec": spec})
    assert made["metadata"]["generation"] == 1
    _, labelled = await api.patch(f"{path}/d", {"metadata": {"labels": {"x": "y"}}})
    assert labelled["metadata"]["generation"] == 1
    _, scaled = await api.patch(f"{path}/d/scale", {"spec": {"replicas": 4}})
    assert (scaled["kind"], scaled["spec"], scaled["status"]["selector"]) == ("Scale", {"replicas": 4}, "a=b")
    assert (await api.ok("GET", f"{path}/d"))["metadata"]["generation"] == 2
    status, found = await api.patch(f"{path}/d/scale", {"spec": {"replicas": -1}})
    assert (status, found["reason"]) == (422, "Invalid")


async def test_forms_of_an_answer(api: Api) -> None:
    await api.ok("POST", MAPS, configmap(a="1"))
    table = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    found = await api.ok("GET", MAPS, headers=table)
    assert [c["name"] for c in found["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert found["rows"][0]["cells"][:2] == ["c", 1]
    assert found["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    short = {"accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    found = await api.ok("GET", MAPS, headers=short)
    assert found["kind"] == "PartialObjectMetadataList"
    assert "data" not in found["items"][0]
    answer = await api.send("GET", f"{MAPS}/c", headers={"accept": "application/yaml"})
    assert b"kind: ConfigMap" in answer.body


async def test_yaml_bodies(api: Api) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: {a: b}\n"
    made = await api.ok("POST", MAPS, text, headers={"content-type": "application/yaml"})
    assert made["data"] == {"a": "b"}
