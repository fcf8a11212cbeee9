"""Silent nodes: Unknown, tainted, their pods marked and evicted in time; and pods whose node is gone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kubelearn.api.resource import Obj
from kubelearn.controllers import _taints
from kubelearn.controllers.base import LEASES, NODES, PODS, Options
from kubelearn.kit import clock

FAST = Options(node_grace=0.3, pod_gc_quarantine=0.1)


async def node(cluster: Any, name: str = "worker-1") -> None:
    await cluster.client.create(NODES, {"metadata": {"name": name}})
    await heartbeat(cluster, name, first=True)


async def heartbeat(cluster: Any, name: str = "worker-1", *, first: bool = False) -> None:
    """What a kubelet does: renew the Lease, and say Ready if the node is not."""
    now = clock.utc_now()
    spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": clock.rfc3339_micro(now)}
    if first:
        lease = {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": spec}
        await cluster.client.create(LEASES, lease)
    else:
        await cluster.client.patch(LEASES, name, "kube-node-lease", {"spec": spec})
    at = clock.rfc3339(now)
    ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": at, "lastTransitionTime": at}
    status = {"status": {"conditions": [ready]}}
    await cluster.client.patch(NODES, name, "", status, subresource="status")


def taints(cluster: Any) -> set[tuple[str, str]]:
    found = cluster.get(NODES, "worker-1")["spec"].get("taints") or []
    return {(t["key"].rpartition("/")[2], t["effect"]) for t in found}


async def pod(cluster: Any, name: str, seconds: int | None) -> None:
    toleration: Obj = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
    if seconds is not None:
        toleration["tolerationSeconds"] = seconds
    spec = {"containers": [{"name": "c"}], "tolerations": [toleration]}
    await cluster.client.create(PODS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})


async def test_a_node_that_falls_silent_and_comes_back(cluster: Any) -> None:
    await cluster.start("node_lifecycle", options=FAST)
    await node(cluster)
    await pod(cluster, "a", 300)
    await cluster.run_pods()
    for _ in range(4):
        await asyncio.sleep(0.15)
        await heartbeat(cluster)
    assert taints(cluster) == set()
    await cluster.until(lambda: ("unreachable", "NoExecute") in taints(cluster))
    found = cluster.get(NODES, "worker-1")
    ready = next(c for c in found["status"]["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert ready["message"] == "Kubelet stopped posting node status."
    await cluster.until(lambda: cluster.get(PODS, "a")["status"]["conditions"][0]["status"] == "False")
    await cluster.until(lambda: "Node is not ready" in cluster.messages())
    assert "Node worker-1 status is now: NodeNotReady" in cluster.messages()
    assert taints(cluster) == {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}
    assert "deletionTimestamp" not in cluster.get(PODS, "a")["metadata"]
    await heartbeat(cluster)
    await cluster.until(lambda: taints(cluster) == set())


async def test_eviction_honours_tolerations_and_leaves_pods_terminating(cluster: Any) -> None:
    await cluster.start("node_lifecycle", "replicaset", options=FAST)
    await node(cluster)
    await pod(cluster, "soon", 0)
    await pod(cluster, "later", 300)
    await pod(cluster, "never", None)
    await cluster.run_pods()
    await cluster.until(lambda: "deletionTimestamp" in cluster.get(PODS, "soon")["metadata"])
    await cluster.settled()
    assert {p["metadata"]["name"] for p in cluster.active()} == {"later", "never"}
    assert "Marking for deletion Pod default/soon" in cluster.messages()
    told = next(c for c in cluster.get(PODS, "soon")["status"]["conditions"] if c["type"] == "DisruptionTarget")
    assert told["reason"] == "DeletionByTaintManager"
    assert len(cluster.pods()) == 3


async def test_pods_of_a_deleted_node_are_removed(cluster: Any) -> None:
    await cluster.start("pod_gc", options=FAST)
    await node(cluster)
    await pod(cluster, "a", None)
    await cluster.run_pods()
    await cluster.settled()
    assert len(cluster.pods()) == 1
    await cluster.client.delete(NODES, "worker-1")
    await cluster.until(lambda: not cluster.pods())


async def test_only_a_node_out_of_service_gives_its_terminating_pods_up(cluster: Any) -> None:
    await cluster.start("node_lifecycle", "pod_gc", options=FAST)
    await node(cluster)
    await pod(cluster, "a", 0)
    await cluster.run_pods()
    await cluster.until(lambda: not cluster.active())
    await cluster.settled()
    assert len(cluster.pods()) == 1
    current = cluster.get(NODES, "worker-1")["spec"]["taints"]
    out = {"key": _taints.OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"}
    await cluster.client.patch(NODES, "worker-1", "", {"spec": {"taints": [*current, out]}})
    await cluster.until(lambda: not cluster.pods())


async def test_cordon_is_a_taint_too(cluster: Any) -> None:
    await cluster.start("node_lifecycle")
    await node(cluster)
    await cluster.client.patch(NODES, "worker-1", "", {"spec": {"unschedulable": True}})
    await cluster.until(lambda: taints(cluster) == {("unschedulable", "NoSchedule")})
    await cluster.client.patch(NODES, "worker-1", "", {"spec": {"unschedulable": None}})
    await cluster.until(lambda: taints(cluster) == set())


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        ([], 0),
        ([{"operator": "Exists"}], None),
        ([{"key": "k", "operator": "Exists", "tolerationSeconds": 30}], 30),
        ([{"key": "k", "value": "v", "tolerationSeconds": 30}, {"operator": "Exists", "tolerationSeconds": 5}], 5),
        ([{"key": "k", "value": "other"}], 0),
        ([{"key": "k", "operator": "Exists", "effect": "NoSchedule"}], 0),
    ],
)
def test_when_to_evict(tolerations: list[Obj], expected: int | None) -> None:
    now = clock.utc_now().replace(microsecond=0)
    taint = {"key": "k", "value": "v", "effect": "NoExecute", "timeAdded": clock.rfc3339(now)}
    at = _taints.evict_at({"spec": {"tolerations": tolerations}}, [taint], now)
    assert at == (None if expected is None else now + timedelta(seconds=expected))


async def test_nodes_come_and_go_with_an_event(cluster: Any) -> None:
    await cluster.start("node_lifecycle")
    await node(cluster)
    await cluster.settled()
    await cluster.client.delete(NODES, "worker-1")
    await cluster.settled()
    assert cluster.messages() == [
        "Node worker-1 event: Registered Node worker-1 in Controller",
        "Node worker-1 event: Removing Node worker-1 from Controller",
    ]
