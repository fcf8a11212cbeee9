"""DaemonSets: one pod on each node that takes it, and node by node when the template changes."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.controllers.base import NODES
from kubelearn.controllers.daemonset import DAEMONSETS, node_of


async def create(cluster: Any, nodes: int = 3, spec: Obj | None = None, **more: Any) -> None:
    pod = {"containers": [{"name": "c", "image": "agent:1"}], **(spec or {})}
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": pod}
    body = {
        "metadata": {"name": "agent", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template, **more},
    }
    for number in range(nodes):
        await cluster.client.create(NODES, {"metadata": {"name": f"n{number}", "labels": {"odd": str(number % 2)}}})
    await cluster.start("daemonset")
    await cluster.client.create(DAEMONSETS, body, "default")
    await cluster.settled()


async def run(cluster: Any) -> None:
    before = -1
    while before != cluster.api.revision:
        before = cluster.api.revision
        for pod in cluster.active():
            if not pod["spec"].get("nodeName"):
                await cluster.run_pods(node_of(pod))
        await cluster.run_pods()
        await cluster.settled()


def where(cluster: Any) -> list[str]:
    return sorted(node_of(p) for p in cluster.active())


def status(cluster: Any) -> Obj:
    found: Obj = cluster.get(DAEMONSETS, "agent")["status"]
    return found


async def test_one_pod_on_each_node_and_on_those_that_join(cluster: Any) -> None:
    await create(cluster)
    assert where(cluster) == ["n0", "n1", "n2"]
    pod = cluster.active()[0]
    assert {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"} in (
        pod["spec"]["tolerations"]
    )
    await cluster.client.create(NODES, {"metadata": {"name": "n3"}})
    await cluster.settled()
    assert where(cluster) == ["n0", "n1", "n2", "n3"]
    assert (status(cluster)["desiredNumberScheduled"], status(cluster)["numberReady"]) == (4, 0)


async def test_only_nodes_that_are_selected_and_tolerated(cluster: Any) -> None:
    await create(cluster, spec={"nodeSelector": {"odd": "0"}})
    assert where(cluster) == ["n0", "n2"]
    taint = {"key": "gpu", "effect": "NoExecute"}
    await cluster.client.patch(NODES, "n2", "", {"spec": {"taints": [taint]}})
    await cluster.settled()
    assert where(cluster) == ["n0"]
    await cluster.client.patch(NODES, "n0", "", {"metadata": {"labels": {"odd": "1"}}})
    await cluster.settled()
    assert where(cluster) == []


async def test_a_roll_out_keeps_all_but_one_available(cluster: Any) -> None:
    await create(cluster)
    await run(cluster)
    assert status(cluster)["numberAvailable"] == 3
    change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "agent:2"}]}}}}
    await cluster.client.patch(DAEMONSETS, "agent", "default", change)
    await cluster.settled()
    assert len(cluster.active()) == 2
    await run(cluster)
    assert {p["spec"]["containers"][0]["image"] for p in cluster.active()} == {"agent:2"}
    assert status(cluster)["updatedNumberScheduled"] == 3
    assert "numberUnavailable" not in status(cluster)


async def test_on_delete_waits_for_whoever_deletes(cluster: Any) -> None:
    await create(cluster, updateStrategy={"type": "OnDelete"})
    await run(cluster)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "agent:2"}]}}}}
    await cluster.client.patch(DAEMONSETS, "agent", "default", change)
    await run(cluster)
    assert {p["spec"]["containers"][0]["image"] for p in cluster.active()} == {"agent:1"}
