"""Every plugin of the scheduler's registry, present and future, keeps the rules that `decide` relies on."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubelearn.kit.discover import discover, names
from kubelearn.scheduler.framework import MAX_SCORE, Cluster, NodeInfo, Plugin, PodInfo

PACKAGE = "kubelearn.scheduler.plugins"
PLUGINS = discover(PACKAGE, "PLUGIN", Plugin)
CHANGES = {"node", "pod-gone", "pod-new", "claim", "volume", "class"}

# kube-scheduler's default weights (pkg/scheduler/apis/config/v1/default_plugins.go)
WEIGHTS = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}


def node(name: str, **spec: Any) -> NodeInfo:
    labels = {"kubernetes.io/hostname": name}
    status = {"allocatable": {"cpu": "2", "memory": "2Gi", "pods": "10"}}
    return NodeInfo.of({"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status})


def pod(name: str, **spec: Any) -> PodInfo:
    metadata = {"name": name, "namespace": "default", "uid": name, "labels": {"app": "web"}}
    containers = [{"name": "c", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}]
    return PodInfo.of({"metadata": metadata, "spec": {"containers": containers, **spec}})


TERM = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
PODS = [
    pod("plain"),
    pod("empty", containers=[]),
    pod("named", nodeName="a", nodeSelector={"kubernetes.io/hostname": "a"}),
    pod("spread", topologySpreadConstraints=[{**TERM, "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}]),
    pod(
        "apart",
        affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]}},
        containers=[{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}],
    ),
]


def nodes() -> list[NodeInfo]:
    tainted = node("b", taints=[{"key": "k", "effect": "PreferNoSchedule"}], unschedulable=True)
    first = node("a")
    first.add(pod("there", affinity={"podAntiAffinity": {}}))
    return [first, tainted, NodeInfo.of({"metadata": {"name": "bare"}})]


@pytest.fixture(params=names(PACKAGE))
def plugin(request: pytest.FixtureRequest) -> Plugin:
    return PLUGINS[request.param]


def test_it_is_named_as_its_file(plugin: Plugin) -> None:
    file = next(name for name, found in PLUGINS.items() if found is plugin)
    assert plugin.name == "".join(word.title() for word in file.split("-"))


def test_it_does_something_and_its_weight_is_the_default(plugin: Plugin) -> None:
    assert plugin.filter is not None or plugin.score is not None
    if plugin.score is not None:
        assert plugin.weight == WEIGHTS[plugin.name]


def test_orders_are_unique() -> None:
    assert len({plugin.order for plugin in PLUGINS.values()}) == len(PLUGINS)


def test_it_says_what_may_help(plugin: Plugin) -> None:
    assert plugin.helped_by <= CHANGES
    assert plugin.helped_by


@pytest.mark.parametrize("tried", PODS, ids=lambda p: p.name)
def test_it_judges_any_pod_on_any_node(plugin: Plugin, tried: PodInfo) -> None:
    there = nodes()
    before = copy.deepcopy([(n.obj, n.requested) for n in there])
    state = plugin.prepare(tried, there, Cluster())
    for one in there:
        rejection = plugin.filter(tried, one, state) if plugin.filter else None
        assert rejection is None or (rejection.reasons and all(rejection.reasons))
    scoring = plugin.prepare_score(tried, there, there) if plugin.prepare_score else None
    if plugin.score is not None and (plugin.prepare_score is None or scoring is not None):
        raw = {one.name: plugin.score(tried, one, scoring) for one in there}
        final = plugin.normalize(scoring, raw)
        assert final.keys() == raw.keys()
        assert all(isinstance(score, int) and 0 <= score <= MAX_SCORE for score in final.values())
    assert [(n.obj, n.requested) for n in there] == before
