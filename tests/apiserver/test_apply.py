"""Server-side apply and managedFields through the API server: answers, conflicts, owners, subresources."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from support.api import ADMIN, NS, Api, configmap, pod

from kubelearn.api.rbac import Attributes
from kubelearn.api.resource import Obj
from kubelearn.apiserver.auth import Authorizer, User
from kubelearn.client.rest import Client
from kubelearn.kit import clock
from kubelearn.kubectl import takeover
from kubelearn.kubectl.resources import Target

CM = NS + "/configmaps/c"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
APPLY = {"content-type": "application/apply-patch+yaml"}
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


async def applied(
    api: Api, path: str, config: Any, manager: str = "m", query: str = "", **headers: str
) -> tuple[int, Any]:
    return await api("PATCH", f"{path}?fieldManager={manager}{query}", config, headers={**APPLY, **headers})


async def ok(api: Api, path: str, config: Any, manager: str = "m", query: str = "") -> Obj:
    status, found = await applied(api, path, config, manager, query)
    assert status in (200, 201), found
    made: Obj = found
    return made


def conf(name: str = "c", **data: str) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(**spec: Any) -> Obj:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec},
    }  # fmt: skip


def owners(obj: Obj) -> dict[str, Any]:
    """fieldsV1 by `manager/operation/subresource`."""
    return {
        "/".join(filter(None, (e["manager"], e["operation"], e.get("subresource", "")))): e["fieldsV1"]
        for e in obj["metadata"].get("managedFields", [])
    }


class Hands:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.at = datetime.fromisoformat("2026-01-01T00:00:00+00:00")

    def __call__(self) -> datetime:
        return self.at

    def forward(self) -> None:
        self.at += timedelta(seconds=2)


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    made = Hands()
    monkeypatch.setattr(clock, "utc_now", made)
    return made


# ---- tracking of other writes


async def test_a_write_is_its_field_managers_or_its_programs(api: Api) -> None:
    made = await api.ok("POST", NS + "/configmaps", configmap(a="1"), headers={"user-agent": "prog/v1 (linux)"})
    assert owners(made) == {"prog/Update": {"f:data": {".": {}, "f:a": {}}}}
    entry = made["metadata"]["managedFields"][0]
    assert entry["apiVersion"] == "v1"
    assert entry["fieldsType"] == "FieldsV1"
    assert entry["time"] == made["metadata"]["creationTimestamp"]
    _, found = await api.patch(CM + "?fieldManager=ed", {"data": {"a": "2", "b": "1"}})
    assert owners(found) == {
        "prog/Update": {"f:data": {}},
        "ed/Update": {"f:data": {"f:a": {}, "f:b": {}}},
    }


async def test_nobody_owns_what_admission_adds(api: Api) -> None:
    await api.account()
    made = await api.ok("POST", NS + "/pods?fieldManager=ann", pod())
    assert made["spec"]["serviceAccountName"] == "default"
    fields = owners(made)["ann/Update"]
    assert set(fields) == {"f:spec"}
    assert not {"f:serviceAccountName", "f:tolerations", "f:volumes"} & set(fields["f:spec"])
    assert fields["f:spec"]["f:containers"]['k:{"name":"c"}']["f:terminationMessagePath"] == {}


async def test_a_status_write_owns_the_status_only(api: Api) -> None:
    await api.account()
    made = await api.ok("POST", NS + "/pods?fieldManager=ann", pod())
    made["status"] = {"phase": "Running"}
    made["spec"]["priority"] = 7
    found = await api.ok("PUT", NS + "/pods/p/status?fieldManager=kubelet", made)
    assert owners(found)["kubelet/Update/status"] == {"f:status": {"f:phase": {}}}
    assert owners(found)["ann/Update"] == owners(made)["ann/Update"]


async def test_a_write_that_changes_nothing_keeps_version_and_times(api: Api, hands: Hands) -> None:
    made = await api.ok("POST", NS + "/configmaps?fieldManager=ann", configmap(a="1"))
    hands.forward()
    _, patched = await api.patch(CM + "?fieldManager=ann", {"data": {"a": "1"}})
    assert patched == made
    assert await api.ok("PUT", CM + "?fieldManager=bob", configmap(a="1")) == made
    one = await ok(api, CM, conf(a="1"))
    hands.forward()
    assert await ok(api, CM, conf(a="1")) == one


async def test_owners_can_be_written_and_forgotten_but_not_lost(api: Api) -> None:
    made = await api.ok("POST", NS + "/configmaps?fieldManager=ann", configmap(a="1"))
    assert owners(await api.ok("PUT", CM, {**configmap(a="1")})) == owners(made)
    entry = {**made["metadata"]["managedFields"][0], "manager": "mine", "operation": "Apply"}
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": [entry]}]
    _, moved = await api.patch(CM, patch, "json")
    assert owners(moved) == {"mine/Apply": owners(made)["ann/Update"]}
    _, kept = await api.patch(CM, {"metadata": {"managedFields": [{"manager": "nonsense"}]}})
    assert owners(kept) == owners(moved)
    _, reset = await api.patch(CM, {"metadata": {"managedFields": [{}]}})
    assert "managedFields" not in reset["metadata"]
    _, still = await api.patch(CM, {"data": {"b": "1"}})
    assert "managedFields" not in still["metadata"]  # not tracked again until somebody applies
    assert set(owners(await ok(api, CM, conf(c="1")))) == {"before-first-apply/Update", "m/Apply"}


async def test_the_options_are_checked(api: Api) -> None:
    await api.ok("POST", NS + "/configmaps", configmap(a="1"))
    status, found = await api("PATCH", CM, conf(), headers=APPLY)
    assert (status, found["message"]) == (
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )
    status, found = await api.patch(CM + "?force=true", {})
    assert (status, found["details"]["causes"][0]["field"]) == (422, "force")
    for method, path in (("POST", NS + "/configmaps"), ("PUT", CM)):
        status, found = await api(method, f"{path}?fieldManager={'x' * 129}", configmap())
        assert status == 422
        assert "fieldManager: Too long: may not be more than 128 bytes" in found["message"]


# ---- apply


async def test_apply_creates_merges_and_removes(api: Api) -> None:
    status, made = await applied(
        api, CM, b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1', b: '2'}\n"
    )
    assert status == 201
    assert owners(made) == {"m/Apply": {"f:data": {"f:a": {}, "f:b": {}}}}
    status, found = await applied(api, CM, conf(c="3"), "other")
    assert (status, found["data"]) == (200, {"a": "1", "b": "2", "c": "3"})
    found = await ok(api, CM, conf(a="9"))
    assert found["data"] == {"a": "9", "c": "3"}
    found = await ok(api, CM, {**conf(), "data": {}})
    assert found["data"] == {"c": "3"}
    assert owners(found) == {"m/Apply": {"f:data": {}}, "other/Apply": {"f:data": {"f:c": {}}}}


async def test_conflicts_are_named_and_force_takes_over(api: Api) -> None:
    await api.ok("POST", NS + "/configmaps?fieldManager=kubectl-create", configmap(a="1", b="1"))
    status, found = await applied(api, CM, conf(a="2"))
    assert status == 409
    assert found["reason"] == "Conflict"
    assert found["message"] == 'Apply failed with 1 conflict: conflict with "kubectl-create" using v1: .data.a'
    assert found["details"] == {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "kubectl-create" using v1',
                "field": ".data.a",
            }
        ]
    }
    assert (await api.ok("GET", CM))["data"]["a"] == "1"
    forced = await ok(api, CM, conf(a="2"), query="&force=true")
    assert forced["data"] == {"a": "2", "b": "1"}
    assert owners(forced) == {
        "m/Apply": {"f:data": {"f:a": {}}},
        "kubectl-create/Update": {"f:data": {".": {}, "f:b": {}}},
    }


async def test_what_is_defaulted_comes_back_when_it_is_let_go(api: Api) -> None:
    await ok(api, DEPLOYMENTS + "/d", deployment(replicas=3, minReadySeconds=5))
    found = await ok(api, DEPLOYMENTS + "/d", deployment())
    assert found["spec"]["replicas"] == 1
    assert "minReadySeconds" not in found["spec"]
    assert found["metadata"]["generation"] == 2
    assert set(owners(found)["m/Apply"]["f:spec"]) == {"f:selector", "f:template"}


@pytest.mark.parametrize(
    ("config", "status", "text"),
    [
        ({**conf(), "kind": "Secret"}, 400, "invalid object type: /v1, Kind=Secret"),
        ({**conf(), "apiVersion": "apps/v1"}, 400, "invalid object type: apps/v1, Kind=ConfigMap"),
        ({"data": {}}, 400, "invalid object type: /, Kind="),
        ({**conf(), "metadata": {"name": "c", "managedFields": []}}, 400, "metadata.managedFields must be nil"),
        ({**conf(), "metadata": {}}, 400, "the name of the object (c based on URL) was undeterminable: name must be provided"),
        (conf("x"), 400, "the name of the object (x) does not match the name on the URL (c)"),
        ({**conf(), "foo": 1}, 500, "typed patch object (/c; /v1, Kind=ConfigMap): .foo: field not declared in schema"),
        (b"a: [", 400, "error decoding YAML"),
        (b"[]", 400, "error decoding YAML"),
        (b"&a {b: *a}", 400, "error decoding YAML"),
        (b"a: !!binary aGk=", 400, "error decoding YAML"),
        ({**conf(), "metadata": {"name": "c", "uid": "u"}}, 409, "uid mismatch: the provided object specified uid u"),
    ],
)  # fmt: skip
async def test_what_is_no_configuration_is_refused(api: Api, config: Any, status: int, text: str) -> None:
    got, found = await applied(api, CM, config)
    assert (got, text in found["message"]) == (status, True), found["message"]
    assert (await api("GET", CM))[0] == 404


@pytest.mark.parametrize("media", ["application/apply-patch+json", "application/apply-patch+cbor"])
async def test_other_forms_of_apply_are_refused(api: Api, media: str) -> None:
    status, found = await api("PATCH", CM + "?fieldManager=m", conf(), headers={"content-type": media})
    assert status == 415
    assert found["message"].endswith("application/strategic-merge-patch+json, application/apply-patch+yaml")


async def test_preconditions_dry_run_and_validation_hold_for_apply(api: Api) -> None:
    status, dry = await applied(api, CM, conf(a="1"), query="&dryRun=All")
    assert (status, dry["data"]) == (201, {"a": "1"})
    assert (await api("GET", CM))[0] == 404
    made = await ok(api, CM, conf(a="1"))
    stale = {**conf(a="2"), "metadata": {"name": "c", "resourceVersion": "1"}}
    status, found = await applied(api, CM, stale)
    assert (status, "the object has been modified" in found["message"]) == (409, True)
    status, found = await applied(api, CM, conf(**{"b@d": "1"}))
    assert (status, found["reason"]) == (422, "Invalid")
    dry = await ok(api, CM, conf(a="3"), query="&dryRun=All")
    assert dry["data"] == {"a": "3"}
    assert await api.ok("GET", CM) == made


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: '1'\n  a: '2'\n", 6),
        (b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1","a":"2"}}', 1),
    ],
)
async def test_keys_given_twice_are_refused_or_warned_of(api: Api, body: bytes, line: int) -> None:
    told = f'line {line}: key "a" already set in map'
    status, found = await applied(api, CM, body, query="&fieldValidation=Strict")
    assert (status, found["message"]) == (
        400,
        f"error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  {told}",
    )
    answer = await api.send("PATCH", CM + "?fieldManager=m", body, headers=APPLY)
    assert answer.status == 201
    assert told.replace('"', '\\"') in answer.headers["warning"]
    answer = await api.send("PATCH", CM + "?fieldManager=m&fieldValidation=Ignore", body, headers=APPLY)
    assert "warning" not in answer.headers


async def test_numbers_as_keys_and_dates_are_strings(api: Api) -> None:
    text = (
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, creationTimestamp: 2020-01-01T00:00:00Z}\ndata: {1: b}\n"
    )
    status, found = await applied(api, CM, text)
    assert (status, found["data"]) == (201, {"1": "b"})


async def test_an_object_of_client_side_apply_moves_over(api: Api) -> None:
    last = orjson.dumps(conf(a="1", b="1")).decode()
    made = {**conf(a="1", b="1"), "metadata": {"name": "c", "annotations": {LAST_APPLIED: last}}}
    await api.ok("POST", NS + "/configmaps?fieldManager=kubectl-client-side-apply", made)
    found = await ok(api, CM, conf(a="2"), "kubectl")
    assert found["data"] == {"a": "2", "b": "1"}
    assert orjson.loads(found["metadata"]["annotations"][LAST_APPLIED]) == conf(a="2")
    assert set(owners(found)) == {"kubectl/Apply", "kubectl-client-side-apply/Update"}


# ---- subresources


async def test_scale_owns_the_replicas_and_then_conflicts(api: Api) -> None:
    await ok(api, DEPLOYMENTS + "/d", deployment(replicas=1), "kubectl")
    await api.patch(DEPLOYMENTS + "/d/scale?fieldManager=kubectl", {"spec": {"replicas": 2}})
    found = await api.ok("GET", DEPLOYMENTS + "/d")
    entry = found["metadata"]["managedFields"][1]
    assert entry == {
        "manager": "kubectl", "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:replicas": {}}}, "subresource": "scale",
    }  # fmt: skip
    assert "f:replicas" not in owners(found)["kubectl/Apply"]["f:spec"]
    status, refused = await applied(api, DEPLOYMENTS + "/d", deployment(replicas=3), "kubectl")
    assert (status, refused["message"]) == (
        409,
        'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
    )
    _, same = await api.patch(DEPLOYMENTS + "/d/scale?fieldManager=other", {"spec": {"replicas": 2}})
    assert same["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]


async def test_a_scale_can_be_applied(api: Api) -> None:
    await ok(api, DEPLOYMENTS + "/d", deployment(replicas=1), "ann")
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"}, "spec": {"replicas": 4}}
    status, refused = await applied(api, DEPLOYMENTS + "/d/scale", scale, "hpa")
    assert (status, refused["message"]) == (409, 'Apply failed with 1 conflict: conflict with "ann": .spec.replicas')
    status, found = await applied(api, DEPLOYMENTS + "/d/scale", scale, "hpa", "&force=true")
    assert (status, found["spec"]) == (200, {"replicas": 4})
    whole = await api.ok("GET", DEPLOYMENTS + "/d")
    assert owners(whole)["hpa/Apply/scale"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in owners(whole)["ann/Apply"]["f:spec"]
    assert whole["metadata"]["generation"] == 2


async def test_a_status_can_be_applied_and_only_to_what_is_there(api: Api) -> None:
    config = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "status": {"replicas": 2},
    }  # fmt: skip
    assert (await applied(api, DEPLOYMENTS + "/d/status", config))[0] == 404
    await ok(api, DEPLOYMENTS + "/d", {**deployment(), "status": {"replicas": 9}}, "ann")
    found = await ok(api, DEPLOYMENTS + "/d/status", config, "ctl")
    assert found["status"]["replicas"] == 2
    assert owners(found)["ctl/Apply/status"] == {"f:status": {"f:replicas": {}}}
    assert "f:status" not in owners(found)["ann/Apply"]


async def test_a_watch_shows_owners_too(api: Api) -> None:
    await ok(api, CM, conf(a="1"))
    events = api.watch(NS + "/configmaps?fieldSelector=metadata.name=c")
    event = await anext(events)
    await events.aclose()  # type: ignore[attr-defined]
    assert owners(event["object"]) == {"m/Apply": {"f:data": {"f:a": {}}}}


class _NoCreate(Authorizer):
    def allows(self, user: User, asked: Attributes) -> str | None:
        return None if asked.verb == "create" else ""


async def test_making_an_object_by_apply_or_update_needs_leave_to_create_it(api: Api) -> None:
    made = await ok(api, CM, conf(a="1"))
    api.server.authorizer = _NoCreate()
    status, found = await applied(api, NS + "/configmaps/new", conf("new"))
    assert (status, 'cannot create resource "configmaps"' in found["message"]) == (403, True)
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "new"}}
    assert (await api("PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/new", lease))[0] == 403
    assert await ok(api, CM, conf(a="1")) == made


async def test_our_kubectl_moves_the_owners_of_client_side_apply(api: Api) -> None:
    last = orjson.dumps(conf(a="1", b="1")).decode()
    made = {**conf(a="1", b="1"), "metadata": {"name": "c", "annotations": {LAST_APPLIED: last}}}
    await api.ok("POST", NS + "/configmaps?fieldManager=kubectl-client-side-apply", made)
    kind = api.server.registry.by_kind("v1", "ConfigMap")
    assert kind is not None
    target = Target(kind.resource, "default", "c")
    client = Client(api.server.local(ADMIN, "kubectl"))
    stale = await ok(api, CM, conf(a="2"), "kubectl")
    await api.patch(CM, {"metadata": {"labels": {"x": "1"}}})  # a conflict on the way is tried again
    assert await takeover.take_over(client, target, stale)
    moved = await api.ok("GET", CM)
    assert set(owners(moved)) == {"kubectl/Apply", "kubectl-last-applied/Apply", "Update"}
    found = await ok(api, CM, conf(a="2"), "kubectl")
    assert found["data"] == {"a": "2"}  # b went: it was client-side apply's, and is kubectl's to let go
    assert LAST_APPLIED in found["metadata"]["annotations"]
    assert not await takeover.take_over(client, target, found)


async def test_a_list_without_its_keys_is_owned_by_nobody_and_can_still_be_written(api: Api) -> None:
    path = f"{NS}/serviceaccounts"
    made = await api.ok("POST", path, {"metadata": {"name": "s"}, "imagePullSecrets": [{}]})
    assert made["imagePullSecrets"] == [{"name": ""}]
    status, changed = await api.patch(f"{path}/s", {"metadata": {"labels": {"a": "b"}}})
    assert (status, changed["metadata"]["labels"]) == (200, {"a": "b"})
