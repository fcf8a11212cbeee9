"""Decisions over given nodes: which are left, which is best, and the words when none is."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kubelearn.scheduler.decide import Decision, decide, default_plugins
from kubelearn.scheduler.framework import NodeInfo, PodInfo

Obj = dict[str, Any]
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"


def node(
    name: str, cpu: str = "4", memory: str = "8Gi", pods: int = 110, labels: Obj | None = None, **spec: Any
) -> NodeInfo:
    obj = {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
        "spec": spec,
        "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": str(pods)}},
    }
    return NodeInfo.of(obj)


def pod(
    name: str = "web", cpu: str = "", memory: str = "", labels: Obj | None = None, owner: str = "", **spec: Any
) -> PodInfo:
    requests = {k: v for k, v in (("cpu", cpu), ("memory", memory)) if v}
    metadata: Obj = {"name": name, "namespace": "default", "uid": name, "labels": labels or {}}
    if owner:
        metadata["ownerReferences"] = [{"uid": owner, "controller": True, "kind": "ReplicaSet", "name": owner}]
    containers = [{"name": "c", "resources": {"requests": requests}}]
    return PodInfo.of({"metadata": metadata, "spec": {"containers": containers, **spec}})


def judge(tried: PodInfo, *nodes: NodeInfo) -> Decision:
    return decide(tried, nodes, default_plugins(), random.Random(1))


def taint(effect: str = "NoSchedule", key: str = "dedicated", value: str = "db") -> Obj:
    return {"key": key, "value": value, "effect": effect}


def failure(reasons: str, preemption: str, count: int) -> str:
    available = f"0/{count} nodes are available:"
    return f"{available} {reasons}. no new claims to deallocate, preemption: {available} {preemption}."


def test_without_nodes() -> None:
    assert judge(pod()).message == "no nodes available to schedule pods"


def test_each_node_gives_its_first_reason() -> None:
    decision = judge(pod(cpu="64"), node("a"), node("b", taints=[taint()]))
    assert decision.node == ""
    assert decision.message == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate,"
        " preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    )
    assert decision.rejected_by == {"NodeResourcesFit", "TaintToleration"}


def test_what_could_fit_an_empty_node_has_no_victims() -> None:
    full = node("a", cpu="1")
    full.add(pod("other", cpu="800m"))
    decision = judge(pod(cpu="500m", memory="16Gi"), full, node("b", cpu="100m"))
    assert decision.message == failure("2 Insufficient cpu, 2 Insufficient memory", f"2 {NOT_HELPFUL}", 2)
    decision = judge(pod(cpu="500m"), full)
    assert decision.message == failure("1 Insufficient cpu", f"1 {NO_VICTIMS}", 1)


@pytest.mark.parametrize(
    ("tried", "on", "reason", "final"),
    [
        (pod(nodeSelector={"disk": "tape"}), node("a"), "node(s) didn't match Pod's node affinity/selector", True),
        (pod(), node("a", unschedulable=True), "node(s) were unschedulable", True),
        (pod(), node("a", pods=0), "Too many pods", False),
        (pod(nodeName="b"), node("a"), "node(s) didn't match the requested node name", True),
        (pod(), node("a", taints=[taint("NoExecute")]), "node(s) had untolerated taint(s)", True),
    ],
)
def test_reasons(tried: PodInfo, on: NodeInfo, reason: str, final: bool) -> None:
    preemption = NOT_HELPFUL if final else NO_VICTIMS
    assert judge(tried, on).message == failure(f"1 {reason}", f"1 {preemption}", 1)


@pytest.mark.parametrize(
    ("toleration", "fits"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({"key": "dedicated", "value": "db"}, True),
        ({"key": "dedicated", "value": "web"}, False),
        ({"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_tolerations(toleration: Obj, fits: bool) -> None:
    assert bool(judge(pod(tolerations=[toleration]), node("a", taints=[taint()])).node) is fits


def test_a_cordoned_node_can_be_tolerated() -> None:
    tolerations = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]
    assert judge(pod(tolerations=tolerations), node("a", unschedulable=True)).node == "a"


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ({"key": "disk", "operator": "In", "values": ["ssd", "nvme"]}, True),
        ({"key": "disk", "operator": "NotIn", "values": ["ssd"]}, False),
        ({"key": "gpu", "operator": "NotIn", "values": ["ssd"]}, True),
        ({"key": "disk", "operator": "Exists"}, True),
        ({"key": "gpu", "operator": "DoesNotExist"}, True),
        ({"key": "cores", "operator": "Gt", "values": ["4"]}, True),
        ({"key": "cores", "operator": "Lt", "values": ["8"]}, False),
        ({"key": "disk", "operator": "Gt", "values": ["4"]}, False),
    ],
)
def test_node_affinity(expression: Obj, fits: bool) -> None:
    terms = [{"matchExpressions": [expression]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    tried = pod(affinity={"nodeAffinity": required})
    assert bool(judge(tried, node("a", labels={"disk": "ssd", "cores": "8"})).node) is fits


def test_affinity_by_the_name_of_a_node() -> None:
    terms: list[Obj] = [{}, {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    assert judge(pod(affinity={"nodeAffinity": required}), node("a"), node("b")).node == "b"


def test_preferred_node_affinity() -> None:
    wish = {
        "weight": 10,
        "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]},
    }
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}
    decision = judge(pod(affinity={"nodeAffinity": preferred}), node("a"), node("b", labels={"disk": "ssd"}))
    assert decision.node == "b"
    assert decision.verdicts["b"].scores["NodeAffinity"] == 200


def test_prefer_no_schedule() -> None:
    decision = judge(pod(), node("a", taints=[taint("PreferNoSchedule")]), node("b"))
    assert decision.node == "b"
    assert [decision.verdicts[n].scores["TaintToleration"] for n in "ab"] == [0, 300]


def test_the_least_allocated_node_is_liked() -> None:
    busy = node("a")
    busy.add(pod("other", cpu="2", memory="4Gi"))
    decision = judge(pod(cpu="1", memory="2Gi"), busy, node("b"))
    assert decision.node == "b"
    assert [decision.verdicts[n].scores["NodeResourcesFit"] for n in "ab"] == [25, 75]


def test_balance() -> None:
    lopsided = node("a")
    lopsided.add(pod("other", cpu="3"))
    decision = judge(pod(cpu="400m", memory="800Mi"), lopsided, node("b"))
    scores = [decision.verdicts[n].scores["NodeResourcesBalancedAllocation"] for n in "ab"]
    assert scores[0] < scores[1]
    assert scores[1] == 99


def test_requests_of_the_init_phase_and_sidecars() -> None:
    def one(cpu: str, **more: Any) -> Obj:
        return {"name": "x", "resources": {"requests": {"cpu": cpu}}, **more}

    tried = pod(
        containers=[one("1"), one("500m")],
        initContainers=[one("300m", restartPolicy="Always"), one("2")],
        overhead={"cpu": "100m"},
    )
    assert tried.requests["cpu"] == 2400
    assert pod(containers=[one("1")], initContainers=[one("300m", restartPolicy="Always")]).requests["cpu"] == 1300
    assert pod(containers=[{"name": "x"}]).scored_requests == {"cpu": 100, "memory": 200 << 20}


def test_host_ports() -> None:
    def using(port: int, name: str = "web", ip: str = "", protocol: str = "TCP") -> PodInfo:
        ports = [{"containerPort": 80, "hostPort": port, "hostIP": ip, "protocol": protocol}]
        return pod(name, containers=[{"name": "c", "ports": ports}])

    taken = node("a")
    taken.add(using(80, "other"))
    text = "node(s) didn't have free ports for the requested pod ports"
    assert judge(using(80), taken).message == failure(f"1 {text}", f"1 {NO_VICTIMS}", 1)
    assert judge(using(80, ip="127.0.0.1"), taken).node == ""
    assert judge(using(80, protocol="UDP"), taken).node == "a"
    assert judge(using(81), taken).node == "a"


def spread(when: str, key: str = "zone", skew: int = 1, **more: Any) -> Obj:
    selector = {"matchLabels": {"app": "web"}}
    return {"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": when, "labelSelector": selector, **more}


def zoned(*counts: int) -> list[NodeInfo]:
    found = []
    for number, count in enumerate(counts):
        one = node(f"n{number}", labels={"zone": f"z{number}"})
        for k in range(count):
            one.add(pod(f"p{number}-{k}", labels={"app": "web"}))
        found.append(one)
    return found


def test_hard_spreading() -> None:
    tried = pod(labels={"app": "web"}, topologySpreadConstraints=[spread("DoNotSchedule")])
    decision = judge(tried, *zoned(1, 0), node("bare"))
    assert decision.node == "n1"
    said = {n: v.rejection.reasons for n, v in decision.verdicts.items() if v.rejection}
    text = "node(s) didn't match pod topology spread constraints"
    assert said == {"n0": (text,), "bare": (f"{text} (missing required label)",)}


def test_hard_spreading_with_too_few_domains() -> None:
    tried = pod(labels={"app": "web"}, topologySpreadConstraints=[spread("DoNotSchedule", minDomains=3)])
    assert judge(tried, *zoned(1, 1)).node == ""
    assert judge(tried, *zoned(1, 0)).node == "n1"


def test_soft_spreading() -> None:
    tried = pod(labels={"app": "web"}, topologySpreadConstraints=[spread("ScheduleAnyway")])
    decision = judge(tried, *zoned(2, 1, 0))
    assert decision.node == "n2"
    scores = [decision.verdicts[f"n{k}"].scores["PodTopologySpread"] for k in range(3)]
    assert scores == sorted(scores)
    assert scores[2] == 200


def test_pods_of_one_controller_spread_by_default() -> None:
    nodes = [node("a"), node("b"), node("c")]
    placed = []
    for number in range(9):
        tried = pod(f"web-{number}", owner="web-7d4")
        chosen = judge(tried, *nodes).node
        next(n for n in nodes if n.name == chosen).add(tried)
        placed.append(chosen)
    assert sorted(placed) == ["a"] * 3 + ["b"] * 3 + ["c"] * 3


def affinity(kind: str, app: str, key: str = "kubernetes.io/hostname") -> Obj:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_pod_affinity() -> None:
    db = node("a")
    db.add(pod("db", labels={"app": "db"}))
    near = pod(affinity=affinity("podAffinity", "db"))
    assert judge(near, db, node("b")).node == "a"
    lonely = judge(near, node("b"))
    assert lonely.message == failure("1 node(s) didn't match pod affinity rules", f"1 {NOT_HELPFUL}", 1)
    own_group = pod(labels={"app": "web"}, affinity=affinity("podAffinity", "web"))
    assert judge(own_group, node("b")).node == "b"


def test_pod_anti_affinity_is_mutual() -> None:
    apart = affinity("podAntiAffinity", "web")
    taken = node("a")
    taken.add(pod("first", labels={"app": "web"}, affinity=apart))
    second = judge(pod("second", labels={"app": "web"}, affinity=apart), taken)
    assert "node(s) didn't match pod anti-affinity rules" in second.message
    newcomer = judge(pod("plain", labels={"app": "web"}), taken)
    assert "node(s) didn't satisfy existing pods anti-affinity rules" in newcomer.message
    assert judge(pod("other", labels={"app": "db"}), taken).node == "a"


def test_preferred_anti_affinity() -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
    wish = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}
    taken = node("a", cpu="64", memory="64Gi")
    taken.add(pod("first", labels={"app": "web"}))
    decision = judge(pod(affinity={"podAntiAffinity": wish}), taken, node("b"))
    assert decision.node == "b"
    assert [decision.verdicts[n].scores["InterPodAffinity"] for n in "ab"] == [0, 200]


def test_the_note_tells_every_verdict() -> None:
    note = judge(pod(), node("a"), node("b"), node("c", unschedulable=True)).note()["scheduler"]
    chosen = note["nodes"][note["chosen"]]
    assert chosen["filter"]["NodeResourcesFit"] == "ok"
    assert chosen["total"] == sum(chosen["score"].values())
    assert note["nodes"]["c"] == {"filter": {"NodeUnschedulable": "node(s) were unschedulable"}}


def test_the_note_does_not_grow_with_the_cluster() -> None:
    note = judge(pod(), *(node(f"n{k}") for k in range(40))).note()["scheduler"]
    assert len(note["nodes"]) == 12
    assert note["chosen"] in note["nodes"]
    assert note["nodesLeftOut"] == 28


def test_ties_are_drawn() -> None:
    nodes = [node(f"n{k}") for k in range(4)]
    drawn = {decide(pod(), nodes, default_plugins(), random.Random(seed)).node for seed in range(40)}
    assert len(drawn) == 4


def holding(name: str, image: str, megabytes: int) -> NodeInfo:
    found = node(name)
    assert found.obj is not None
    found.obj["status"]["images"] = [{"names": [image], "sizeBytes": megabytes * 1024 * 1024}]
    return found


@pytest.mark.parametrize(
    ("image", "held", "megabytes", "score"),
    [
        ("web:v1", "web:v1", 1023, 50),  # held by half of the nodes: (511.5 - 23) / (1000 - 23)
        ("web", "web:latest", 4000, 100),
        ("registry:5000/web", "registry:5000/web:latest", 4000, 100),
        ("web:v1", "web:v1", 40, 0),
    ],
)
def test_a_node_that_holds_the_image_is_liked(image: str, held: str, megabytes: int, score: int) -> None:
    tried = pod(containers=[{"name": "c", "image": image}])
    decision = judge(tried, holding("a", held, megabytes), node("b"))
    assert decision.verdicts["a"].scores["ImageLocality"] == score
    assert decision.verdicts["b"].scores["ImageLocality"] == 0
    assert decision.node == "a" or not score


def test_an_image_that_nobody_holds_says_nothing() -> None:
    decision = judge(pod(containers=[{"name": "c", "image": "web:v1"}]), holding("a", "web:v2", 500), node("b"))
    assert "ImageLocality" not in decision.verdicts["a"].scores
