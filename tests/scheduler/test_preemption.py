"""Room for pods of higher priority: who has to go, from which node, and what is said when nobody can."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from kubelearn.api.resource import Obj
from kubelearn.scheduler.decide import Decision, decide, default_plugins
from kubelearn.scheduler.framework import Cluster, NodeInfo, PodInfo

PRIORITY = 1000


def node(name: str, *pods: PodInfo, cpu: str = "1", **spec: Any) -> NodeInfo:
    status = {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}}
    labels = {"kubernetes.io/hostname": name}
    return NodeInfo.of({"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}, pods)


def pod(name: str, cpu: str = "500m", priority: int = 0, started: str = "2026-01-01T00:00:00Z", **spec: Any) -> PodInfo:
    containers = [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]
    metadata = {"name": name, "namespace": "default", "uid": name, "labels": {"app": name}}
    given = {"containers": containers, "priority": priority, **spec}
    return PodInfo.of({"metadata": metadata, "spec": given, "status": {"startTime": started}})


def budget(app: str, allowed: int = 0, **status: Any) -> Obj:
    selector = {"matchLabels": {"app": app}}
    return {
        "metadata": {"name": app, "namespace": "default"},
        "spec": {"selector": selector},
        "status": {"disruptionsAllowed": allowed, **status},
    }


def judge(
    *nodes: NodeInfo, cpu: str = "800m", nominated: str = "", cluster: Cluster | None = None, **spec: Any
) -> Decision:
    tried = pod("urgent", cpu, PRIORITY, **spec)
    return decide(tried, nodes, default_plugins(), random.Random(1), cluster or Cluster(), nominated)


def victims(decision: Decision) -> list[str]:
    assert decision.preemption is not None
    return [victim.name for victim in decision.preemption.victims]


def test_as_few_go_as_need_to_the_less_important_first() -> None:
    low, middle, old = pod("low", "300m"), pod("middle", "300m", 5), pod("old", "300m", 0, "2025-01-01T00:00:00Z")
    decision = judge(node("a", low, middle, old), cpu="400m")
    assert decision.node == ""
    assert victims(decision) == ["low"]
    assert decision.message == "0/1 nodes are available: 1 Insufficient cpu."
    assert decision.nominate == "a"
    assert decision.note()["scheduler"]["preemption"] == {"node": "a", "victims": ["default/low"]}
    assert decision.note()["scheduler"]["nodes"]["a"]["filter"]["NodeResourcesFit"] == "Insufficient cpu"


def test_equal_priority_is_no_victim() -> None:
    decision = judge(node("a", pod("peer", "500m", PRIORITY)))
    assert decision.preemption is None
    assert decision.nominate == ""
    assert decision.message == (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available:"
        " 1 No preemption victims found for incoming pod."
    )


def test_where_it_would_not_be_enough_the_filter_says_what_is_still_missing() -> None:
    decision = judge(node("a", pod("peer", "500m", PRIORITY), pod("low", "100m")), node("b", cpu="100m"))
    assert decision.preemption is None
    assert decision.message.endswith(
        "preemption: 0/2 nodes are available: 1 Insufficient cpu, 1 Preemption is not helpful for scheduling."
    )


def test_never_means_never() -> None:
    decision = judge(node("a", pod("low")), preemptionPolicy="Never")
    assert decision.preemption is None
    assert decision.nominate is None
    assert decision.message == (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
        "not eligible due to preemptionPolicy=Never."
    )


@pytest.mark.parametrize(
    ("a", "b", "budgets"),
    [
        ([pod("a", priority=1)], [pod("b", priority=9)], [budget("a"), budget("b", 1)]),
        ([pod("a", priority=9)], [pod("b", priority=1)], []),
        ([pod("a", priority=3), pod("a2", priority=2)], [pod("b", priority=3), pod("b2", priority=1)], []),
        ([pod("a", "400m"), pod("a2", "400m")], [pod("b", "800m")], []),
        ([pod("a")], [pod("b", started="2026-02-01T00:00:00Z")], []),
    ],
    ids=["fewest budgets broken", "lowest highest priority", "least sum", "fewest", "latest start"],
)
def test_the_node_where_the_least_is_lost(a: list[PodInfo], b: list[PodInfo], budgets: list[Obj]) -> None:
    decision = judge(node("a", *a), node("b", *b), cpu="900m", cluster=Cluster(budgets))
    assert victims(decision) == [found.name for found in b]


def test_those_that_a_budget_protects_are_spared_first() -> None:
    held = node("a", pod("kept", "500m", 1), pod("other", "500m", 5))
    assert victims(judge(held, cpu="500m")) == ["kept"]
    assert victims(judge(held, cpu="500m", cluster=Cluster([budget("kept")]))) == ["other"]
    assert victims(judge(held, cpu="500m", cluster=Cluster([budget("kept", 1)]))) == ["kept"]
    granted = budget("kept", disruptedPods={"kept": "2026-01-01T00:00:00Z"})
    assert victims(judge(held, cpu="500m", cluster=Cluster([granted]))) == ["kept"]


def test_what_is_nominated_counts_for_pods_of_no_higher_priority() -> None:
    expected = pod("expected", "800m", PRIORITY)
    cluster = Cluster(nominated={"a": [expected]})
    assert judge(node("a"), cluster=cluster).message.startswith("0/1 nodes are available: 1 Insufficient cpu.")
    lower = Cluster(nominated={"a": [pod("lower", "800m", 1)]})
    assert judge(node("a"), cluster=lower).node == "a"
    assert judge(node("a"), node("b"), cluster=cluster).node == "b"


def test_the_nominated_node_is_looked_at_first() -> None:
    decision = judge(node("a", cpu="2"), node("b"), nominated="b")
    assert decision.node == "b"
    assert decision.verdicts.keys() == {"b"}
    assert judge(node("a", cpu="2"), node("b", pod("x")), nominated="b").node == "a"


def test_while_victims_leave_no_others_are_taken() -> None:
    leaving = pod("leaving")
    leaving.obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:30Z"
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    leaving.obj["status"]["conditions"] = [condition]
    decision = judge(node("a", leaving), node("b", pod("low")), nominated="a")
    assert decision.preemption is None
    assert decision.nominate is None
    assert decision.message.endswith("preemption: not eligible due to a terminating pod on the nominated node.")
    assert victims(judge(node("a", leaving, unschedulable=True), node("b", pod("low")), nominated="a")) == ["low"]


def test_a_pod_that_is_kept_away_by_another_has_that_removed() -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "urgent"}}}
    rude = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    assert victims(judge(node("a", pod("rude", "10m", affinity=rude), pod("quiet", "10m")))) == ["rude"]


def test_fifty_full_nodes_are_tried_in_a_moment() -> None:
    """Each of 5000 pods is put back once: whatever looks at all pods each time makes this a matter of many seconds."""
    nodes = [node(f"n{n}", *[pod(f"p{n}-{k}", "10m", k % 7) for k in range(100)]) for n in range(50)]
    started = time.process_time()
    assert len(victims(judge(*nodes, cpu="500m"))) == 50
    assert time.process_time() - started < 3
