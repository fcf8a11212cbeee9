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
    """A part of the control plane as the picture shows it; `waiting` counts the events that the gate holds for it."""

    name: str
    held: bool
    waiting: int
    next: str = ""


#: The picture's boxes, each with the gates that belong to it.
_BOXES: dict[str, Callable[[str], bool]] = {
    "scheduler": lambda name: name == "kube-scheduler",
    "controllers": lambda name: not name.startswith(("kube-", "kubelet-")) and name != "coredns",
}


def components(snapshot: Snapshot) -> list[Component]:
    """API server, scheduler, controllers and store, with what waits at the gate; empty on a foreign cluster."""
    gates = snapshot.of("gates.kubelearn.dev")
    if not gates:
        return []
    found = [Component("API server", False, 0)]
    for box, belongs in _BOXES.items():
        members = [g for g in gates if belongs(g["metadata"]["name"])]
        waiting = [w for g in members for w in g.get("status", {}).get("waiting", ())]
        held = any(g.get("spec", {}).get("paused") for g in members)
        found.append(Component(box, held, len(waiting), _event(waiting[0]) if waiting else ""))
    found.append(Component("store", False, 0, f"r{snapshot.revision}"))
    return found


def node_gate(snapshot: Snapshot, node: str) -> Component | None:
    """The kubelet of a node at the gate, if it is held there."""
    for gate in snapshot.of("gates.kubelearn.dev"):
        if gate["metadata"]["name"] == f"kubelet-{node}":
            waiting = gate.get("status", {}).get("waiting", ())
            paused = bool(gate.get("spec", {}).get("paused"))
            return Component("kubelet", paused, len(waiting), _event(waiting[0]) if waiting else "")
    return None


def _event(waiting: Obj) -> str:
    return f"{waiting.get('resource', '')} {waiting.get('name', '')} {waiting.get('type', '')}"
