"""The picture in characters. `lines` gives styled pieces (for the TUI), the renderer joins them to plain text.

A line is a list of (text, style); a style is a State's value or one of: title, dim, accent, "".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import networkx as nx

from kubelearn.graph import model
from kubelearn.graph.renderer import Component, Renderer, components, node_gate
from kubelearn.graph.snapshot import Snapshot
from kubelearn.graph.state import GLYPHS, State

Line = list[tuple[str, str]]


def lines(graph: nx.DiGraph[str], snapshot: Snapshot, view: str, width: int) -> list[Line]:
    """The view as styled lines, none wider than `width` columns."""
    draw = {"architecture": _architecture, "ownership": _ownership, "traffic": _traffic}[view]
    return [cut(line, width) for line in draw(graph, snapshot, width)]


def columns(text: str) -> int:
    """Terminal columns of a text: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def cut(line: Line, width: int) -> Line:
    """The line at most `width` columns wide; what is cut off is marked by …"""
    if sum(columns(text) for text, _ in line) <= width:
        return line
    out: Line = []
    room = width - 1
    for text, style in line:
        kept = ""
        for char in text:
            room -= columns(char)
            if room < 0:
                return [*out, (kept + "…", style)]
            kept += char
        out.append((kept, style))
    return out


def _pad(line: Line, width: int) -> Line:
    line = cut(line, width)
    return [*line, (" " * (width - sum(columns(t) for t, _ in line)), "")]


def box(title: Line, body: list[Line], width: int) -> list[Line]:
    """A frame around `body`, `width` columns wide in all."""
    head = cut(title, width - 5)
    rule = "─" * (width - 4 - sum(columns(t) for t, _ in head))
    top: Line = [("┌ ", "dim"), *head, (f" {rule}┐", "dim")]
    middle: list[Line] = [[("│ ", "dim"), *_pad(line, width - 4), (" │", "dim")] for line in body]
    return [top, *middle, [("└" + "─" * (width - 2) + "┘", "dim")]]


def beside(boxes: list[list[Line]], gap: str = " ") -> list[Line]:
    """Boxes in a row; shorter ones are filled up below."""
    height = max(len(b) for b in boxes)
    widths = [sum(columns(t) for t, _ in b[0]) for b in boxes]
    rows: list[Line] = []
    for i in range(height):
        row: Line = []
        for block, width in zip(boxes, widths, strict=True):
            row += block[i] if i < len(block) else [(" " * width, "")]
            row.append((gap, ""))
        rows.append(row[:-1])
    return rows


def _item(graph: nx.DiGraph[str], node: str, name_width: int = 0) -> Line:
    data = graph.nodes[node]
    state = data["state"]
    return [
        (GLYPHS[state] + " ", state.value),
        (str(data["name"]).ljust(name_width), ""),
        (f"  {data['detail']}", "dim" if state is State.RUNNING else state.value),
    ]


def _component(part: Component) -> Line:
    if part.waiting:
        return [(f"⏸ {part.waiting} waiting", State.HELD.value)]
    if part.held:
        return [("⏸ held", State.HELD.value)]
    return [(part.next or "serving" if part.name in ("store", "API server") else part.next or "idle", "dim")]


def _architecture(graph: nx.DiGraph[str], snapshot: Snapshot, width: int) -> Iterator[Line]:
    parts = components(snapshot)
    if parts:
        yield [("control plane", "title")]
        each = min(22, (width - 3) // 4)
        yield from beside([box([(p.name, "title")], [_component(p)], each) for p in parts])
        for part in parts:
            if part.next and part.waiting:
                yield [(f"⏸ {part.name}: next to see: {part.next}", State.HELD.value)]
    yield from _machines(graph, snapshot, width)
    unplaced = [p for p in model.of_kind(graph, "Pod") if not model.targets(graph, p, "runs-on")]
    if unplaced:
        yield [("on no node yet", "title")]
        yield from (_item(graph, p) for p in unplaced)
    yield from _services(graph)


def _machines(graph: nx.DiGraph[str], snapshot: Snapshot, width: int) -> Iterator[Line]:
    nodes = model.of_kind(graph, "Node")
    per_row = max(1, min(len(nodes), width // 36))
    each = (width - (per_row - 1)) // per_row
    for start in range(0, len(nodes), per_row):
        blocks = []
        for node in nodes[start : start + per_row]:
            pods = model.sources(graph, node, "runs-on")
            longest = max((len(graph.nodes[p]["name"]) for p in pods), default=0)
            kubelet = node_gate(snapshot, graph.nodes[node]["name"])
            body: list[Line] = [_item(graph, p, min(longest, each - 18)) for p in pods] or [[("no pods", "dim")]]
            if kubelet and (kubelet.held or kubelet.waiting):
                body.insert(0, [(f"⏸ kubelet: {kubelet.waiting} waiting", State.HELD.value)])
            blocks.append((_item(graph, node), body))
        height = max(len(body) for _, body in blocks)
        yield from beside([box(t, body + [[]] * (height - len(body)), each) for t, body in blocks])


def _services(graph: nx.DiGraph[str]) -> Iterator[Line]:
    for service in model.of_kind(graph, "Service"):
        pods = model.targets(graph, service, "routes-to")
        ready = [p for p in pods if graph.edges[service, p]["ready"]]
        data = graph.nodes[service]
        style = State.RUNNING.value if ready else State.NOT_READY.value
        yield [
            ("Service ", "dim"),
            (data["name"], "title"),
            (f" {data['detail']} ", ""),
            ("──▶ ", style),
            (f"{len(ready)} of {len(pods)} ready endpoints", style),
            ("  " + ", ".join(graph.nodes[p]["name"] for p in ready), "dim"),
        ]


def _ownership(graph: nx.DiGraph[str], _snapshot: Snapshot, _width: int) -> Iterator[Line]:
    roots = [n for n in sorted(graph) if not model.sources(graph, n, "owns")]
    for root in roots:
        yield from _tree(graph, root, "", "")
    if not roots:
        yield [("nothing here yet", "dim")]


def _tree(graph: nx.DiGraph[str], node: str, here: str, below: str) -> Iterator[Line]:
    yield [(here, "dim"), (graph.nodes[node]["kind"] + " ", "dim"), *_item(graph, node)]
    children = model.targets(graph, node, "owns")
    for i, child in enumerate(children):
        last = i == len(children) - 1
        yield from _tree(graph, child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))


def _traffic(graph: nx.DiGraph[str], _snapshot: Snapshot, _width: int) -> Iterator[Line]:
    services = model.of_kind(graph, "Service")
    for service in services:
        yield [("Service ", "dim"), *_item(graph, service)]
        pods = model.targets(graph, service, "routes-to")
        for pod in pods:
            ready = graph.edges[service, pod]["ready"]
            arrow = ("  ──▶ ", State.RUNNING.value) if ready else ("  ╌╌▷ ", State.NOT_READY.value)
            yield [arrow, *_item(graph, pod)]
        if not pods:
            yield [("  no endpoints: no pod matches the selector", State.NOT_READY.value)]
    if not services:
        yield [("no Services yet", "dim")]


def _draw(graph: nx.DiGraph[str], snapshot: Snapshot, view: str, width: int) -> str:
    drawn = lines(graph, snapshot, view, width)
    return "\n".join("".join(text for text, _ in line).rstrip() for line in drawn)


RENDERER = Renderer(_draw)
