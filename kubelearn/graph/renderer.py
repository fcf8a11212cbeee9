"""The descriptor of an output format, and the little that formats share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import networkx as nx

from kubelearn.api.resource import Obj
from kubelearn.graph.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Renderer:
    """`draw(graph, snapshot, view, width)` gives the whole picture as a string."""

    draw: Callable[[nx.DiGraph[str], Snapshot, str, int], str]


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the cluster as the picture shows it; `waiting` counts the events that the gate holds for it."""

    name: str
    held: bool
    waiting: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """The next event that the gate holds for a component."""

    component: str
    event: str
    revision: int


#: The picture's boxes, each with the gates that belong to it.
_BOXES: dict[str, Callable[[str], bool]] = {
    "scheduler": lambda name: name == "kube-scheduler",
    "controllers": lambda name: not name.startswith(("kube-", "kubelet-")) and name != "coredns",
    "dns": lambda name: name == "coredns",
}


def components(snapshot: Snapshot) -> list[Component]:
    """Scheduler, controllers and DNS, with what waits for them at the gate; empty on a foreign cluster."""
    return [_component(snapshot, box, belongs) for box, belongs in _BOXES.items()] if _gates(snapshot) else []


def node_components(snapshot: Snapshot, node: str) -> list[Component]:
    """What runs on a node, as far as the gate knows of it."""
    found = []
    for name in ("kubelet", "kube-proxy"):
        gate = f"{name}-{node}"
        if any(g["metadata"]["name"] == gate for g in _gates(snapshot)):
            found.append(_component(snapshot, name, gate.__eq__))
    return found


def next_events(snapshot: Snapshot) -> list[Waiting]:
    """What each held component is to see next, oldest first: a step of the whole cluster delivers the first."""
    found = []
    for gate in _gates(snapshot):
        for event in gate.get("status", {}).get("waiting", ())[:1]:
            kind = str(event.get("resource", "")).partition(".")[0]
            text = f"{kind}/{event.get('name', '')} {event.get('type', '')}"
            found.append(Waiting(gate["metadata"]["name"], text, int(event.get("revision", 0))))
    return sorted(found, key=lambda w: (w.revision, w.component))


def _gates(snapshot: Snapshot) -> list[Obj]:
    return snapshot.of("gates.kubelearn.dev")


def _component(snapshot: Snapshot, name: str, belongs: Callable[[str], bool]) -> Component:
    members = [g for g in _gates(snapshot) if belongs(g["metadata"]["name"])]
    waiting = sum(len(g.get("status", {}).get("waiting", ())) for g in members)
    return Component(name, any(g.get("spec", {}).get("paused") for g in members), waiting)
