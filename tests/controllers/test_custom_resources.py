"""CustomResourceDefinitions against the real API server: established, served, used, collected, and gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.plane import ADMIN, Plane

from kubelearn.api.errors import ApiError
from kubelearn.api.kinds.customresourcedefinition import RESOURCE as CRDS
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver.auth import Authenticator, Authorizer
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH, Client
from kubelearn.controllers.base import CONFIGMAPS, NAMESPACES
from kubelearn.trace.gate import Gate

WIDGETS = Resource("e.com", "v1", "Widget", "widgets", "widget", True)


def definition(**spec: Any) -> Obj:
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "size": {"type": "integer", "maximum": 10},
                    "colour": {"type": "string", "default": "red"},
                },
            },
            "status": {"type": "object", "properties": {"size": {"type": "integer"}}},
        },
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"},
        },
        "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
    }
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]}
    whole = {"group": "e.com", "scope": "Namespaced", "names": names, "versions": [version], **spec}
    return {"metadata": {"name": f"{whole['names']['plural']}.e.com"}, "spec": whole}


def widget(name: str = "w", **spec: Any) -> Obj:
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": spec}


async def is_true(plane: Plane, name: str, kind: str) -> bool:
    """Whether a condition of the definition is."""
    found = (await plane.admin.get(CRDS, name)).get("status", {}).get("conditions") or []
    return any(c["type"] == kind and c["status"] == "True" for c in found)


async def define(plane: Plane, obj: Obj) -> None:
    await plane.admin.create(CRDS, obj)
    await plane.until(lambda: is_true(plane, obj["metadata"]["name"], "Established"))


async def test_served_with_defaults_status_and_scale(plane: Plane) -> None:
    await define(plane, definition())
    made = await plane.admin.create(WIDGETS, widget(size=3))
    assert (made["spec"], made["metadata"]["generation"]) == ({"size": 3, "colour": "red"}, 1)
    patched = await plane.admin.patch(WIDGETS, "w", "shop", {"spec": {"size": 4}, "status": {"size": 9}})
    assert (patched["spec"]["size"], "status" in patched, patched["metadata"]["generation"]) == (4, False, 2)
    change = {"spec": {"size": 1}, "status": {"size": 9}}
    patched = await plane.admin.patch(WIDGETS, "w", "shop", change, subresource="status")
    assert (patched["spec"]["size"], patched["status"]["size"], patched["metadata"]["generation"]) == (4, 9, 2)
    scale = await plane.admin.get(WIDGETS, "w", "shop", subresource="scale")
    assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (4, 9)
    with pytest.raises(ApiError) as refused:
        await plane.admin.create(WIDGETS, widget("big", size=11))
    assert refused.value.code == 422
    assert "spec.size in body should be less than or equal to 10" in refused.value.message


async def test_an_update_says_what_it_replaces_and_makes_nothing_new(plane: Plane) -> None:
    await define(plane, definition())
    with pytest.raises(ApiError) as missing:
        await plane.admin.update(WIDGETS, widget(size=3))
    assert missing.value.code == 404
    await plane.admin.create(WIDGETS, widget(size=3))
    with pytest.raises(ApiError) as refused:
        await plane.admin.update(WIDGETS, widget(size=4))
    told = 'widgets.e.com "w" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update'
    assert (refused.value.code, refused.value.message) == (422, told)
    with pytest.raises(ApiError) as other:
        await plane.admin.create(WIDGETS, {**widget("v"), "apiVersion": "e.com/v2"})
    assert "(e.com/v2) does not match the expected API version (e.com/v1)" in other.value.message


async def test_a_strategic_merge_is_not_supported(plane: Plane) -> None:
    await define(plane, definition())
    await plane.admin.create(WIDGETS, widget(size=3))
    with pytest.raises(ApiError) as refused:
        await plane.admin.patch(WIDGETS, "w", "shop", {"spec": {"size": 4}}, STRATEGIC_MERGE_PATCH)
    assert refused.value.code == 415


async def test_names_in_use_are_not_accepted_until_they_are_free(plane: Plane) -> None:
    await define(plane, definition())
    other = definition(names={"plural": "gadgets", "singular": "gadget", "kind": "Widget", "listKind": "GadgetList"})
    await plane.admin.create(CRDS, other)

    async def refused() -> bool:
        found = (await plane.admin.get(CRDS, "gadgets.e.com"))["status"].get("conditions") or []
        return [c["reason"] for c in found if c["type"] == "NamesAccepted"] == ["KindConflict"]

    await plane.until(refused)
    assert not await is_true(plane, "gadgets.e.com", "Established")
    await plane.admin.delete(CRDS, "widgets.e.com")
    await plane.until(lambda: is_true(plane, "gadgets.e.com", "Established"))


async def test_a_group_of_kubernetes_says_how_it_was_approved(plane: Plane) -> None:
    obj = definition(group="e.k8s.io")
    obj["metadata"] = {
        "name": "widgets.e.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "https://e.com/pull/1"},
    }
    await define(plane, obj)
    found = (await plane.admin.get(CRDS, "widgets.e.k8s.io"))["status"]["conditions"]
    said = {c["type"]: (c["status"], c["reason"], c["message"]) for c in found}
    assert said["KubernetesAPIApprovalPolicyConformant"] == (
        "True",
        "ApprovedAnnotation",
        "approved in https://e.com/pull/1",
    )


async def test_with_the_definition_go_its_objects_and_their_watches(plane: Plane) -> None:
    await define(plane, definition())
    await plane.admin.create(WIDGETS, widget(size=3))
    seen = []

    async def watch() -> None:
        async for event in plane.admin.watch(WIDGETS, "shop"):
            seen.append(event.type)

    async with asyncio.timeout(5):
        watching = asyncio.ensure_future(watch())
        while not seen:
            await asyncio.sleep(0.01)
        await plane.admin.delete(CRDS, "widgets.e.com")
        await watching
    assert seen == ["ADDED", "DELETED"]
    await plane.until(lambda: plane.is_gone(CRDS, "widgets.e.com"))
    assert (await plane.store.range("/registry/e.com/")).items == []
    assert await plane.is_gone(WIDGETS, "w", "shop")


async def test_what_a_custom_resource_owns_is_collected_with_it(plane: Plane) -> None:
    await define(plane, definition())
    owner = await plane.admin.create(WIDGETS, widget(size=3))
    ref = {"apiVersion": "e.com/v1", "kind": "Widget", "name": "w", "uid": owner["metadata"]["uid"]}
    about = {"name": "owned", "namespace": "shop", "ownerReferences": [ref]}
    await plane.admin.create(CONFIGMAPS, {"metadata": about})
    await plane.admin.delete(WIDGETS, "w", "shop")
    await plane.until(lambda: plane.is_gone(CONFIGMAPS, "owned", "shop"))


async def test_a_namespace_takes_custom_resources_along(plane: Plane) -> None:
    await define(plane, definition())
    await plane.admin.create(WIDGETS, widget(size=3))
    await plane.admin.delete(NAMESPACES, "shop")
    await plane.until(lambda: plane.is_gone(NAMESPACES, "shop"))
    assert (await plane.store.range("/registry/e.com/")).items == []


async def test_several_versions_of_one_object(plane: Plane) -> None:
    first = definition()
    second = {**first["spec"]["versions"][0], "name": "v2", "storage": False}
    first["spec"]["versions"].append(second)
    await define(plane, first)
    newer = Resource("e.com", "v2", "Widget", "widgets", "widget", True)
    await plane.admin.create(newer, widget(size=3))
    assert (await plane.admin.get(WIDGETS, "w", "shop"))["apiVersion"] == "e.com/v1"
    assert (await plane.admin.get(newer, "w", "shop"))["apiVersion"] == "e.com/v2"
    current = await plane.admin.get(CRDS, "widgets.e.com")
    for version in current["spec"]["versions"]:
        version |= {"storage": version["name"] == "v2", "served": version["name"] == "v2"}
    stored = (await plane.admin.update(CRDS, current))["status"]["storedVersions"]
    assert stored == ["v1", "v2"]
    assert (await plane.admin.get(newer, "w", "shop"))["spec"]["size"] == 3
    assert await plane.is_gone(WIDGETS, "w", "shop")


async def test_definitions_are_served_again_after_a_restart(plane: Plane) -> None:
    await define(plane, definition())
    again = ApiServer(plane.store, Gate(), authenticator=Authenticator({}, "key"), authorizer=Authorizer())
    await again.start()
    admin = Client(again.local(ADMIN, "kubectl"))
    assert (await admin.create(WIDGETS, widget(size=3)))["spec"]["colour"] == "red"
    await again.close()
