"""Garbage collection: background, foreground and orphan, owners that never were, and the cause."""

from __future__ import annotations

from typing import Any

from kubelearn.api import meta
from kubelearn.api.resource import Obj
from kubelearn.controllers.base import CONFIGMAPS, PODS, REPLICASETS


async def family(cluster: Any, *, block: bool = True) -> tuple[Obj, Obj]:
    body = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {}}}
    owner = await cluster.client.create(REPLICASETS, {"metadata": {"name": "o", "namespace": "default"}, "spec": body})
    owner |= {"apiVersion": "apps/v1", "kind": "ReplicaSet"}
    ref = meta.owner_reference(owner) | {"blockOwnerDeletion": block}
    own = {"name": "child", "namespace": "default", "ownerReferences": [ref]}
    child = await cluster.client.create(PODS, {"metadata": own, "spec": {"containers": [{"name": "c"}]}})
    await cluster.settled()
    return owner, child


def names(cluster: Any, resource: Any) -> list[str]:
    return [o["metadata"]["name"] for o in cluster.all(resource)]


async def test_background(cluster: Any) -> None:
    await cluster.start("garbage_collector")
    await family(cluster)
    await cluster.client.delete(REPLICASETS, "o", "default")
    await cluster.settled()
    assert names(cluster, PODS) == []
    deletions = [r for r, t, g, _ in cluster.api.log if t == "DELETED"]
    user, acting = cluster.api.causes[deletions[-1]]
    assert (user, acting.revision) == ("generic-garbage-collector", deletions[0])
    assert acting.note["reconcile"] == "owner ReplicaSet o is gone → delete Pod child"


async def test_foreground_deletes_the_owner_last(cluster: Any) -> None:
    await cluster.start("garbage_collector")
    await family(cluster)
    await cluster.client.delete(REPLICASETS, "o", "default", options={"propagationPolicy": "Foreground"})
    await cluster.settled()
    assert names(cluster, REPLICASETS) == []
    order = [g for _, t, g, _ in cluster.api.log if t == "DELETED"]
    assert order == ["pods", "replicasets.apps"]


async def test_foreground_does_not_wait_for_those_that_do_not_block(cluster: Any) -> None:
    await cluster.start("garbage_collector")
    await family(cluster, block=False)
    await cluster.client.delete(REPLICASETS, "o", "default", options={"propagationPolicy": "Foreground"})
    await cluster.settled()
    assert [g for _, t, g, _ in cluster.api.log if t == "DELETED"] == ["replicasets.apps", "pods"]


async def test_orphan_lets_dependents_live(cluster: Any) -> None:
    await cluster.start("garbage_collector")
    await family(cluster)
    await cluster.client.delete(REPLICASETS, "o", "default", options={"propagationPolicy": "Orphan"})
    await cluster.settled()
    assert names(cluster, REPLICASETS) == []
    assert names(cluster, PODS) == ["child"]
    assert not cluster.get(PODS, "child")["metadata"].get("ownerReferences")


async def test_an_owner_that_never_was(cluster: Any) -> None:
    await cluster.start("garbage_collector")
    ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "ghost", "uid": "no-such-uid"}
    own = {"name": "child", "namespace": "default", "ownerReferences": [ref]}
    await cluster.client.create(CONFIGMAPS, {"metadata": own})
    await cluster.settled()
    assert names(cluster, CONFIGMAPS) == []


async def test_one_owner_left_is_enough(cluster: Any) -> None:
    await cluster.start("garbage_collector")
    owners = []
    for name in ("a", "b"):
        made = await cluster.client.create(CONFIGMAPS, {"metadata": {"name": name, "namespace": "default"}})
        owners.append(meta.owner_reference({"apiVersion": "v1", "kind": "ConfigMap", **made}, controller=False))
    child: Obj = {"metadata": {"name": "child", "namespace": "default", "ownerReferences": owners}}
    await cluster.client.create(CONFIGMAPS, child)
    await cluster.client.delete(CONFIGMAPS, "a", "default")
    await cluster.settled()
    assert [r["name"] for r in cluster.get(CONFIGMAPS, "child")["metadata"]["ownerReferences"]] == ["b"]
    await cluster.client.delete(CONFIGMAPS, "b", "default")
    await cluster.settled()
    assert names(cluster, CONFIGMAPS) == []


async def test_what_was_left_over_while_nobody_watched(cluster: Any) -> None:
    ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "ghost", "uid": "no-such-uid"}
    own = {"name": "child", "namespace": "default", "ownerReferences": [ref]}
    await cluster.client.create(CONFIGMAPS, {"metadata": own})
    await cluster.start("garbage_collector")
    assert names(cluster, CONFIGMAPS) == []
