"""The picture from a small cluster of hand-made objects."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from kubelearn.graph import canvas, model, render
from kubelearn.graph.render import text
from kubelearn.graph.snapshot import Snapshot
from kubelearn.graph.views import VIEWS
from kubelearn.graph.words import WORDS
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
        "status": {"waiting": [{"resource": "pods", "name": "web-1-c", "type": "ADDED", "revision": 9}]},
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


GATE = "⏸ at the gate (1): a step delivers ▸\n▸ kube-scheduler is to see pods/web-1-c ADDED  r9"


def test_architecture_shows_pods_in_their_nodes_and_what_waits(snapshot: Snapshot) -> None:
    picture = render.render(snapshot, "architecture", width=100)
    assert "⏸ 1 waiting" in picture
    assert "revision 184" in picture
    assert GATE in picture
    assert "on no node yet\n◔ web-1-c  pending" in picture
    assert "kubernetes" not in picture
    assert max(map(len, picture.splitlines())) <= 100


def test_a_service_has_a_line_to_each_of_its_pods(snapshot: Snapshot) -> None:
    assert render.render(snapshot, "architecture", width=80).splitlines()[-5:] == [
        " ┌ ● worker-1  Ready ──────────────────┐ ┌ ◔ worker-2  joining ────────────────┐",
        "╭▶ ● web-1-a  10.244.1.4               │ │ no pods                             │",
        "├▷ ✗ web-1-b  CrashLoopBackOff         │ │                                     │",
        "│└─────────────────────────────────────┘ └─────────────────────────────────────┘",
        "╰─ Service web  10.96.0.17:80  ● 1 of 2 endpoints ready",
    ]


def second_service(snapshot: Snapshot, pods: list[str]) -> None:
    """A Service `api` on worker-2 as well, of these pods."""
    snapshot.objects["pods"][2]["spec"]["nodeName"] = "worker-2"
    snapshot.objects["services"].append(obj("api", {"clusterIP": "10.96.0.18", "ports": [{"port": 80}]}, {}))
    endpoints = [{"targetRef": {"kind": "Pod", "name": p}, "conditions": {"ready": True}} for p in pods]
    meta = {"name": "api-x", "namespace": "default", "labels": {"kubernetes.io/service-name": "api"}}
    snapshot.objects["endpointslices.discovery.k8s.io"].append({"metadata": meta, "endpoints": endpoints})


def test_lines_of_two_services_cross_and_end_at_their_names(snapshot: Snapshot) -> None:
    second_service(snapshot, ["web-1-a", "web-1-c"])
    drawn = render.render(snapshot, "architecture", width=80).splitlines()
    assert drawn[-7:] == [
        "  ┌ ● worker-1  Ready ─────────────────┐  ┌ ◔ worker-2  joining ───────────────┐",
        "╭┬▶ ● web-1-a  10.244.1.4              │ ╭▶ ◔ web-1-c  starting                │",
        "├┼▷ ✗ web-1-b  CrashLoopBackOff        │ ││                                    │",
        "││└────────────────────────────────────┘ │└────────────────────────────────────┘",
        "│├───────────────────────────────────────╯",
        "│╰─ Service api  10.96.0.18:80  ● 2 of 2 endpoints ready",
        "╰─ Service web  10.96.0.17:80  ● 1 of 2 endpoints ready",
    ]


def test_a_service_without_endpoints_says_so(snapshot: Snapshot) -> None:
    second_service(snapshot, [])
    picture = render.render(snapshot, "architecture", width=100)
    assert "Service api  10.96.0.18:80  ◐ no endpoints: no pod matches the selector" in picture


def test_more_services_than_lines_name_their_pods(snapshot: Snapshot) -> None:
    for i in range(6):
        second_service(snapshot, ["web-1-a"])
        snapshot.objects["services"][-1]["metadata"]["name"] = f"s{i}"
        snapshot.objects["endpointslices.discovery.k8s.io"][-1]["metadata"]["labels"] = {
            "kubernetes.io/service-name": f"s{i}"
        }
    picture = render.render(snapshot, "architecture", width=100)
    assert "Service s5  10.96.0.18:80  ● 1 of 1 endpoints ready ──▶ web-1-a" in picture


def test_a_foreign_cluster_has_no_control_plane_in_the_picture(snapshot: Snapshot) -> None:
    del snapshot.objects["gates.kubelearn.dev"]
    assert "API server" not in render.render(snapshot, "architecture")


def test_what_holds_a_kubelet_stands_in_its_node(snapshot: Snapshot) -> None:
    for name, waiting in (("kubelet-worker-1", 2), ("kube-proxy-worker-1", 0)):
        events = [{"resource": "pods", "name": "x", "type": "ADDED", "revision": 5}] * waiting
        gate = {"metadata": {"name": name}, "spec": {"paused": bool(waiting)}, "status": {"waiting": events}}
        snapshot.objects["gates.kubelearn.dev"].append(gate)
    picture = render.render(snapshot, "architecture", width=100)
    assert "⏸ kubelet 2  kube-proxy" in picture
    assert picture.index("kubelet-worker-1 is to see") < picture.index("kube-scheduler is to see"), "oldest first"


def test_ownership_is_a_tree(snapshot: Snapshot) -> None:
    assert render.render(snapshot, "ownership").splitlines() == [
        *GATE.splitlines(),
        "Deployment ◐ web  1/3 ready",
        "└─ ReplicaSet ◐ web-1  1/3 ready",
        "   ├─ Pod ● web-1-a  10.244.1.4",
        "   ├─ Pod ✗ web-1-b  CrashLoopBackOff",
        "   └─ Pod ◔ web-1-c  pending",
    ]


def test_traffic_tells_ready_from_unready(snapshot: Snapshot) -> None:
    assert render.render(snapshot, "traffic").splitlines() == [
        *GATE.splitlines(),
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


@pytest.mark.parametrize("language", list(WORDS))
@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_asked_and_boxes_hold(snapshot: Snapshot, width: int, language: str) -> None:
    second_service(snapshot, ["web-1-a", "web-1-c"])
    for view in VIEWS:
        for line in text.lines(model.build(snapshot), snapshot, view, width, WORDS[language]):
            assert canvas.width_of(line) <= width
    drawn = text.lines(model.build(snapshot), snapshot, "architecture", width, WORDS[language])
    frames = {canvas.width_of(line) for line in drawn if "".join(t for t, _ in line).rstrip().endswith(("┐", "┘"))}
    assert len(frames) <= 2, "the control plane's boxes, and the machines'"


def test_both_languages_have_all_words() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()


def test_what_is_cut_is_marked() -> None:
    assert canvas.cut([("abc", ""), ("中文字", "dim")], 6) == [("abc", ""), ("中…", "dim")]


def test_unknown_names_are_refused(snapshot: Snapshot) -> None:
    with pytest.raises(KubelearnError, match="unknown view"):
        render.render(snapshot, "nothing")
    with pytest.raises(KubelearnError, match="unknown format"):
        render.render(snapshot, "traffic", "gif")
