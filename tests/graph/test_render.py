"""The picture from a small cluster of hand-made objects."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from kubelearn.graph import model, render
from kubelearn.graph.render import text
from kubelearn.graph.snapshot import Snapshot
from kubelearn.graph.views import VIEWS
from kubelearn.kit.errors import KubelearnError


def obj(
    name: str, spec: dict[str, Any], status: dict[str, Any], owner: tuple[str, str] | None = None
) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "namespace": "default", "resourceVersion": "7"}
    if owner:
        meta["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return {"metadata": meta, "spec": spec, "status": status}


READY = [{"type": "Ready", "status": "True"}]


@pytest.fixture
def snapshot() -> Snapshot:
    nodes = [obj("worker-1", {}, {"conditions": READY}), obj("worker-2", {}, {"conditions": []})]
    for node in nodes:
        del node["metadata"]["namespace"]
    owner = ("ReplicaSet", "web-1")
    running = {"phase": "Running", "podIP": "10.244.1.4", "conditions": READY}
    crashing = {"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}], "phase": "Running"}
    endpoints: dict[str, Any] = {
        "metadata": {
            "name": "web-x",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "web"},
        },
        "endpoints": [
            {"targetRef": {"kind": "Pod", "name": "web-1-a"}, "conditions": {"ready": True}},
            {"targetRef": {"kind": "Pod", "name": "web-1-b"}, "conditions": {"ready": False}},
            {"targetRef": {"kind": "Pod", "name": "gone"}},
        ],
    }
    gate = {
        "metadata": {"name": "kube-scheduler"},
        "spec": {"paused": True},
        "status": {"waiting": [{"resource": "pods", "name": "web-1-c", "type": "ADDED"}]},
    }
    return Snapshot(
        {
            "nodes": nodes,
            "deployments.apps": [obj("web", {"replicas": 3}, {"readyReplicas": 1})],
            "replicasets.apps": [obj("web-1", {"replicas": 3}, {"readyReplicas": 1}, ("Deployment", "web"))],
            "pods": [
                obj("web-1-a", {"nodeName": "worker-1"}, running, owner),
                obj("web-1-b", {"nodeName": "worker-1"}, crashing, owner),
                obj("web-1-c", {}, {"phase": "Pending"}, owner),
            ],
            "services": [
                obj("web", {"clusterIP": "10.96.0.17", "ports": [{"port": 80}]}, {}),
                obj("kubernetes", {"clusterIP": "10.96.0.1", "ports": [{"port": 443}]}, {}),
            ],
            "endpointslices.discovery.k8s.io": [endpoints],
            "gates.kubelearn.dev": [gate],
        },
        184,
    )


def test_architecture_shows_pods_in_their_nodes_and_what_waits(snapshot: Snapshot) -> None:
    picture = render.render(snapshot, "architecture", width=100)
    assert "⏸ 1 waiting" in picture
    assert "r184" in picture
    assert "● web-1-a  10.244.1.4" in picture
    assert "✗ web-1-b  CrashLoopBackOff" in picture
    assert "on no node yet\n◔ web-1-c  pending" in picture
    assert "Service web 10.96.0.17:80 ──▶ 1 of 2 ready endpoints  web-1-a" in picture
    assert "kubernetes" not in picture
    assert max(map(len, picture.splitlines())) <= 100


def test_ownership_is_a_tree(snapshot: Snapshot) -> None:
    assert render.render(snapshot, "ownership").splitlines() == [
        "Deployment ◐ web  1/3 ready",
        "└─ ReplicaSet ◐ web-1  1/3 ready",
        "   ├─ Pod ● web-1-a  10.244.1.4",
        "   ├─ Pod ✗ web-1-b  CrashLoopBackOff",
        "   └─ Pod ◔ web-1-c  pending",
    ]


def test_traffic_tells_ready_from_unready(snapshot: Snapshot) -> None:
    assert render.render(snapshot, "traffic").splitlines() == [
        "Service ● web  10.96.0.17:80",
        "  ──▶ ● web-1-a  10.244.1.4",
        "  ╌╌▷ ✗ web-1-b  CrashLoopBackOff",
    ]


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_in_every_format(snapshot: Snapshot, view: str) -> None:
    assert json.loads(render.render(snapshot, view, "json"))["revision"] == 184
    ElementTree.fromstring(render.render(snapshot, view, "svg"))
    assert render.render(snapshot, view, "mermaid").startswith("flowchart")
    assert render.render(snapshot, view, "dot").startswith("digraph")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_asked(snapshot: Snapshot, width: int) -> None:
    for view in VIEWS:
        for line in text.lines(model.build(snapshot), snapshot, view, width):
            assert sum(text.columns(t) for t, _ in line) <= width


def test_what_is_cut_is_marked() -> None:
    assert text.cut([("abc", ""), ("中文字", "dim")], 6) == [("abc", ""), ("中…", "dim")]


def test_unknown_names_are_refused(snapshot: Snapshot) -> None:
    with pytest.raises(KubelearnError, match="unknown view"):
        render.render(snapshot, "nothing")
    with pytest.raises(KubelearnError, match="unknown format"):
        render.render(snapshot, "traffic", "gif")
