"""Where claims and volumes let a pod go, and what is then to be bound."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kubelearn.api.resource import Obj
from kubelearn.scheduler import volumes
from kubelearn.scheduler.decide import Decision, decide, default_plugins
from kubelearn.scheduler.framework import Cluster, NodeInfo, PodInfo, Storage
from kubelearn.scheduler.volumes import Claims, Plan

NOT_HELPFUL = "Preemption is not helpful for scheduling"


def node(name: str) -> NodeInfo:
    status = {"allocatable": {"cpu": "2", "memory": "8Gi", "pods": "110"}}
    return NodeInfo.of({"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}, "status": status})


def pod(*claims: str, **extra: Any) -> PodInfo:
    named = [{"name": f"v{n}", "persistentVolumeClaim": {"claimName": claim}} for n, claim in enumerate(claims)]
    metadata = {"name": "web", "namespace": "default", "uid": "uid-web"}
    return PodInfo.of({"metadata": metadata, "spec": {"containers": [], "volumes": named, **extra}})


def claim(name: str, volume: str = "", class_: str = "", size: str = "1Gi", **metadata: Any) -> Obj:
    marks = {"pv.kubernetes.io/bind-completed": "yes"} if volume else {}
    return {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "annotations": marks, **metadata},
        "spec": {
            "storageClassName": class_,
            "volumeName": volume,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
        },
    }


def volume(name: str, at: str = "", class_: str = "", size: str = "1Gi", phase: str = "Available") -> Obj:
    spec: Obj = {"storageClassName": class_, "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}}
    if at:
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [at]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}
    return {"metadata": {"name": name}, "spec": spec, "status": {"phase": phase}}


def class_(provisioner: str = "kubernetes.io/no-provisioner", **more: Any) -> Obj:
    return {"provisioner": provisioner, "volumeBindingMode": "WaitForFirstConsumer", **more}


def storage(*objects: Obj, **classes: Obj) -> Storage:
    claims = {(o["metadata"]["namespace"], o["metadata"]["name"]): o for o in objects if "namespace" in o["metadata"]}
    found = {o["metadata"]["name"]: o for o in objects if "namespace" not in o["metadata"]}
    return Storage(claims, found, classes)


def judge(tried: PodInfo, there: Storage) -> Decision:
    return decide(tried, [node("a"), node("b")], default_plugins(), random.Random(1), Cluster(storage=there))


def plan(tried: PodInfo, on: str, there: Storage) -> Plan:
    claims = volumes.claims_of(tried, there)
    assert isinstance(claims, Claims)
    found = volumes.plan(claims, node(on), there)
    assert isinstance(found, Plan)
    return found


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ([], 'persistentvolumeclaim "c" not found'),
        ([claim("c")], "pod has unbound immediate PersistentVolumeClaims"),
        ([claim("c", deletionTimestamp="2026-01-01T00:00:00Z")], 'persistentvolumeclaim "c" is being deleted'),
        (
            [{**claim("c", "gone"), "status": {"phase": "Lost"}}],
            'persistentvolumeclaim "c" bound to non-existent persistentvolume "gone"',
        ),
    ],
)
def test_what_stands_in_the_way_on_every_node(there: list[Obj], why: str) -> None:
    decision = judge(pod("c"), storage(*there))
    assert decision.message == f"0/2 nodes are available: {why}. not found"
    assert decision.rejected_by == {"VolumeBinding"}
    assert decision.nominate is None
    noted = decision.note()["scheduler"]["nodes"]
    assert noted == {"a": {"filter": {"VolumeBinding": why}}, "b": {"filter": {"VolumeBinding": why}}}


def test_an_ephemeral_claim_must_be_the_pods_own() -> None:
    tried = pod(volumes=[{"name": "tmp", "ephemeral": {}}])
    assert judge(tried, storage()).message.startswith(
        "0/2 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "
        '"web-tmp".'
    )
    foreign = storage(claim("web-tmp", "v"), volume("v"))
    assert "PVC default/web-tmp was not created for pod default/web (pod is not owner)" in judge(tried, foreign).message
    own = claim("web-tmp", "v", ownerReferences=[{"uid": "uid-web"}])
    assert judge(tried, storage(own, volume("v"))).node


def test_a_bound_volume_draws_the_pod_to_its_node() -> None:
    assert judge(pod("c"), storage(claim("c", "v"), volume("v", "b"))).node == "b"
    decision = judge(pod("c"), storage(claim("c", "v"), volume("v", "elsewhere")))
    available = "0/2 nodes are available:"
    assert decision.message == (
        f"{available} 2 node(s) didn't match PersistentVolume's node affinity. no new claims to deallocate, "
        f"preemption: {available} 2 {NOT_HELPFUL}."
    )
    missing = judge(pod("c"), storage(claim("c", "v")))
    assert "2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)." in missing.message


def test_late_claims_get_the_smallest_free_volume_within_reach() -> None:
    there = storage(
        claim("c", class_="late"),
        volume("small", "a", "late", "100Mi"),
        volume("taken", "a", "late", phase="Bound"),
        volume("large", "b", "late", "5Gi"),
        volume("middle", "b", "late", "2Gi"),
        late=class_(),
    )
    decision = judge(pod("c"), there)
    assert decision.node == "b"
    refused = decision.verdicts["a"].rejection
    assert refused is not None
    assert refused.reasons == ("node(s) didn't find available persistent volumes to bind",)
    assert [(v["metadata"]["name"], c["metadata"]["name"]) for v, c in plan(pod("c"), "b", there).bindings] == [
        ("middle", "c")
    ]


def test_two_claims_do_not_share_a_volume() -> None:
    both = [claim("c", class_="late", size="1Gi"), claim("d", class_="late", size="2Gi")]
    one = storage(*both, volume("v", "a", "late", "3Gi"), late=class_())
    assert not judge(pod("c", "d"), one).node
    two = storage(*both, volume("v", "a", "late", "3Gi"), volume("w", "a", "late", "1Gi"), late=class_())
    found = {c["metadata"]["name"]: v["metadata"]["name"] for v, c in plan(pod("c", "d"), "a", two).bindings}
    assert found == {"c": "w", "d": "v"}


def test_a_provisioner_is_asked_where_it_can_reach() -> None:
    here = [{"matchLabelExpressions": [{"key": "kubernetes.io/hostname", "values": ["b"]}]}]
    there = storage(claim("c", class_="made"), made=class_("example.com/disk", allowedTopologies=here))
    assert judge(pod("c"), there).node == "b"
    made = plan(pod("c"), "b", there)
    assert [c["metadata"]["name"] for c in made.provisions] == ["c"]
    assert not made.bindings


def test_a_node_that_was_selected_stays_selected() -> None:
    chosen = claim("c", class_="made", annotations={"volume.kubernetes.io/selected-node": "a"})
    assert judge(pod("c"), storage(chosen, made=class_("example.com/disk"))).node == "a"


def test_a_reserved_volume_is_used_or_none() -> None:
    reserved = volume("v", "a", "late")
    reserved["spec"]["claimRef"] = {"namespace": "default", "name": "c"}
    there = storage(claim("c", class_="late"), reserved, volume("w", "b", "late"), late=class_())
    assert judge(pod("c"), there).node == "a"
