"""The architecture view in characters: the control plane on its API server, machines with their pods, and Services
with a line to each of their pods.

The lines run in gutters left of the machines, one column for each Service, and meet below at the Service's name:

     ┌ ● worker-1  Ready ──────┐ ┌ ● worker-2  Ready ──────┐
    ╭▶ ● web-7d4-k2p           │╭▶ ● web-7d4-9xq           │
    │└─────────────────────────┘│└─────────────────────────┘
    ├───────────────────────────╯
    ╰─ Service web  10.96.0.17:80  2 of 2 endpoints ready
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx

from kubelearn.graph import model
from kubelearn.graph.canvas import Canvas, Line, box, columns
from kubelearn.graph.renderer import Component, components, next_events, node_components
from kubelearn.graph.snapshot import Snapshot
from kubelearn.graph.state import GLYPHS, State
from kubelearn.graph.words import Words

_MACHINE = 36  # columns that a machine wants
_RAILS = 4  # Services with lines; those beyond name their pods instead
_UNPLACED = 6
_WAITING = 3


def item(graph: nx.DiGraph[str], node: str, name_width: int = 0) -> Line:
    """A glyph for the state, the name, and a word on it."""
    data = graph.nodes[node]
    state = data["state"]
    return [
        (GLYPHS[state] + " ", state.value),
        (str(data["name"]).ljust(name_width), ""),
        (f"  {data['detail']}", "dim" if state is State.RUNNING else state.value),
    ]


def architecture(graph: nx.DiGraph[str], snapshot: Snapshot, width: int, words: Words) -> Iterator[Line]:
    yield from _control_plane(snapshot, width, words)
    yield from at_the_gate(snapshot, words)
    yield from _unplaced(graph, words)
    yield from _Machines(graph, snapshot, width, words).lines()


def _state(part: Component, words: Words) -> Line:
    if part.waiting:
        return [(f"{GLYPHS[State.HELD]} {words['waiting'].format(count=part.waiting)}", State.HELD.value)]
    if part.held:
        return [(f"{GLYPHS[State.HELD]} {words['held']}", State.HELD.value)]
    return [(words["idle"], "dim")]


def _control_plane(snapshot: Snapshot, width: int, words: Words) -> Iterator[Line]:
    """Boxes on a bar: whoever wants anything asks the API server, and only that asks the store."""
    parts = [(words[part.name], _state(part, words)) for part in components(snapshot)]
    if not parts:
        return
    parts.append((words["store"], [(words["revision"].format(revision=snapshot.revision), "dim")]))
    each = min(24, (width - len(parts) + 1) // len(parts))
    if each < 15:
        yield [(words["server"], "title")]
        yield from ([(f"  {name}  ", ""), *state] for name, state in parts)
        return
    canvas, foot = Canvas(), each // 2
    bar = ["━"] * (len(parts) * (each + 1) - 1)
    for i, (name, state) in enumerate(parts):
        x = i * (each + 1)
        lines = box([(name, "title")], [state], each)
        lines[-1] = [("└" + "─" * (foot - 1) + "┬" + "─" * (each - foot - 2) + "┘", "dim")]
        bar[x + foot] = "┷"
        for y, line in enumerate(lines):
            canvas.put(x, y, line)
    label = f" {words['server']} "
    at = foot + 2
    canvas.put(0, 3, [("".join(bar[:at]), "dim"), (label, "title"), ("".join(bar[at + columns(label) :]), "dim")])
    yield from canvas.lines()


def at_the_gate(snapshot: Snapshot, words: Words) -> Iterator[Line]:
    """What each held component is to see next; the mark is on what a step of the whole cluster delivers."""
    waiting = next_events(snapshot)
    if not waiting:
        return
    yield [(f"{GLYPHS[State.HELD]} {words['gate'].format(count=len(waiting))}", State.HELD.value)]
    for i, event in enumerate(waiting[:_WAITING]):
        text = words["to see"].format(component=event.component, event=event.event)
        yield [("▸ " if i == 0 else "  ", State.HELD.value), (text, ""), (f"  r{event.revision}", "dim")]


def _unplaced(graph: nx.DiGraph[str], words: Words) -> Iterator[Line]:
    pods = [p for p in model.of_kind(graph, "Pod") if not model.targets(graph, p, "runs-on")]
    if pods:
        yield [(words["unplaced"], "title")]
        yield from (item(graph, p) for p in pods[:_UNPLACED])
    if len(pods) > _UNPLACED:
        yield [(words["more"].format(count=len(pods) - _UNPLACED), "dim")]


@dataclass(slots=True)
class _Rail:
    """One Service's lines: its column within a gutter, and for each gutter the row at which it begins."""

    offset: int
    style: str
    begins: dict[int, int]


class _Machines:
    """Machines in rows, Services below them, and the wires between."""

    def __init__(self, graph: nx.DiGraph[str], snapshot: Snapshot, width: int, words: Words) -> None:
        self._graph, self._snapshot, self._width, self._words = graph, snapshot, width, words
        self._canvas = Canvas()
        services = model.of_kind(graph, "Service")
        placed = {p for p in model.of_kind(graph, "Pod") if model.targets(graph, p, "runs-on")}
        wired = [s for s in services if placed.intersection(self._pods(s))][:_RAILS]
        self._rails = {
            s: _Rail(len(wired) - 1 - i, self._style(s), {}) for i, s in enumerate(wired)
        }  # the first Service nearest to the machines, so that it also ends first
        self._services = [*wired, *(s for s in services if s not in wired)]
        self._gutter = len(wired)

    def _pods(self, service: str) -> list[str]:
        return model.targets(self._graph, service, "routes-to")

    def _ready(self, service: str, pod: str) -> bool:
        return bool(self._graph.edges[service, pod]["ready"])

    def _style(self, service: str) -> str:
        ready = any(self._ready(service, p) for p in self._pods(service))
        return State.RUNNING.value if ready else State.NOT_READY.value

    def lines(self) -> list[Line]:
        nodes = model.of_kind(self._graph, "Node")
        if not nodes:
            return [[(self._words["no nodes"], "dim")]]
        per_row = max(1, min(len(nodes), self._width // _MACHINE))
        gap = self._gutter or 1
        each = (self._width - per_row * gap + (0 if self._gutter else 1)) // per_row
        y = 0
        for start in range(0, len(nodes), per_row):
            y = self._row(nodes[start : start + per_row], each, y)
        self._draw_services(y, each)
        return self._canvas.lines()

    def _row(self, nodes: list[str], each: int, y: int) -> int:
        """One row of machines from line `y`; gives the line below it."""
        bodies = [self._body(node, each) for node in nodes]
        height = max(len(body) for body, _ in bodies)
        for i, (node, (body, pods)) in enumerate(zip(nodes, bodies, strict=True)):
            x = i * (each + (self._gutter or 1)) + self._gutter
            entries = self._enter(pods, i, x, y + 1)
            frame = box(item(self._graph, node), body + [[]] * (height - len(body)), each, entries)
            for row, line in enumerate(frame):
                self._canvas.put(x, y + row, line)
        return y + height + 2

    def _body(self, node: str, each: int) -> tuple[list[Line], dict[int, str]]:
        """What stands in a machine's box, and which of its lines are which pods."""
        pods = model.sources(self._graph, node, "runs-on")
        longest = max((len(self._graph.nodes[p]["name"]) for p in pods), default=0)
        body: list[Line] = []
        if agents := node_components(self._snapshot, self._graph.nodes[node]["name"]):
            body.append([piece for part in agents for piece in self._agent(part)])
        first = len(body)
        body += [item(self._graph, p, min(longest, each - 17)) for p in pods] or [[(self._words["no pods"], "dim")]]
        return body, {first + i: pod for i, pod in enumerate(pods)}

    def _agent(self, part: Component) -> Line:
        if part.held or part.waiting:
            count = f" {part.waiting}" if part.waiting else ""
            return [(f"{GLYPHS[State.HELD]} {part.name}{count}  ", State.HELD.value)]
        return [(f"{part.name}  ", "dim")]

    def _enter(self, pods: dict[int, str], gutter: int, x: int, top: int) -> dict[int, tuple[str, str]]:
        """Lead the lines of every Service to the pods of one machine; gives the arrowheads in its frame."""
        arrows = {}
        for service, rail in self._rails.items():
            for row, pod in pods.items():
                if not self._graph.has_edge(service, pod):
                    continue
                ready = self._ready(service, pod)
                style = State.RUNNING.value if ready else State.NOT_READY.value
                arrows[row] = ("▶" if ready else "▷", style)
                self._canvas.across(top + row, x - self._gutter + rail.offset, x, rail.style)
                rail.begins.setdefault(gutter, top + row)
        return arrows

    def _draw_services(self, y: int, each: int) -> None:
        for service in self._services:
            rail = self._rails.get(service)
            if rail is None:
                self._canvas.put(max(0, self._gutter - 1), y, self._label(service, wired=False))
                y += 1
                continue
            places = {gutter: gutter * (each + self._gutter) + rail.offset for gutter in rail.begins}
            bus = max(places.values()) > rail.offset
            for gutter, x in places.items():
                self._canvas.down(x, rail.begins[gutter], y, rail.style)
            if bus:
                self._canvas.across(y, rail.offset, max(places.values()), rail.style)
                y += 1
            self._canvas.down(rail.offset, y - 1, y, rail.style)
            self._canvas.across(y, rail.offset, rail.offset + 1, rail.style)
            self._canvas.put(rail.offset + 2, y, [(" ", ""), *self._label(service, wired=True)])
            y += 1

    def _label(self, service: str, *, wired: bool) -> Line:
        pods, data = self._pods(service), self._graph.nodes[service]
        ready = [p for p in pods if self._ready(service, p)]
        line: Line = [("Service ", "dim"), (data["name"], "title"), (f"  {data['detail']}  ", "")]
        if not pods:
            return [*line, (f"{GLYPHS[State.NOT_READY]} {self._words['no endpoints']}", State.NOT_READY.value)]
        text = self._words["endpoints"].format(ready=len(ready), all=len(pods))
        glyph = GLYPHS[State.RUNNING if ready else State.NOT_READY]
        line.append((f"{glyph} {text}", self._style(service)))
        if not wired:
            line.append((" ──▶ " + ", ".join(self._graph.nodes[p]["name"] for p in pods), "dim"))
        return line
