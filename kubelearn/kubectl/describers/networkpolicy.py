"""Network policies: what may come in, and what may go out."""

from __future__ import annotations

from dataclasses import dataclass

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.kit import clock
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


@dataclass(frozen=True, slots=True)
class _Direction:
    key: str
    peers: str  # the rule's field
    title: str  # what a peer is called
    other: str  # what is not restricted when there are no peers


_INGRESS = _Direction("ingress", "from", "From", "source")
_EGRESS = _Direction("egress", "to", "To", "destination")


async def write(out: Writer, policy: Obj, _sources: Sources) -> None:
    meta, spec = policy["metadata"], policy.get("spec") or {}
    out.field("Name", meta["name"])
    out.field("Namespace", meta.get("namespace", ""))
    created = meta.get("creationTimestamp")
    out.field("Created on", f"{clock.parse(created):%Y-%m-%d %H:%M:%S +0000 UTC}" if created else "<unset>")
    w.labels(out, "Labels", meta.get("labels"))
    w.annotation_lines(out, meta.get("annotations"))
    out.line(0, "Spec:")
    selector = spec.get("podSelector") or {}
    everything = "<none> (Allowing the specific traffic to all pods in this namespace)"
    chosen = selector.get("matchLabels") or selector.get("matchExpressions")
    out.line(1, f"PodSelector:     {selectors.format(selector) if chosen else everything}")
    types = spec.get("policyTypes") or []
    for direction, affected in ((_INGRESS, "Ingress" in types or not types), (_EGRESS, "Egress" in types)):
        if affected:
            out.line(1, f"Allowing {direction.key} traffic:")
            _rules(out, direction, spec.get(direction.key) or [])
        else:
            out.line(1, f"Not affecting {direction.key} traffic")
    out.line(1, f"Policy Types: {', '.join(types) or '<none>'}")


def _rules(out: Writer, direction: _Direction, rules: list[Obj]) -> None:
    if not rules:
        out.line(2, f"<none> (Selected pods are isolated for {direction.key} connectivity)")
    for index, rule in enumerate(rules):
        if index:
            out.line(2, "----------")
        if not rule.get("ports"):
            out.line(2, "To Port: <any> (traffic allowed to all ports)")
        for port in rule.get("ports") or []:
            out.line(2, f"To Port: {port.get('port', '<nil>')}/{port.get('protocol') or 'TCP'}")
        if not rule.get(direction.peers):
            out.line(2, f"{direction.title}: <any> (traffic not restricted by {direction.other})")
        for peer in rule.get(direction.peers) or []:
            out.line(2, f"{direction.title}:")
            _peer(out, peer)


def _peer(out: Writer, peer: Obj) -> None:
    for title, key in (("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")):
        if peer.get(key) is not None:
            out.line(3, f"{title}: {selectors.format(peer[key])}")
    if block := peer.get("ipBlock"):
        out.line(3, "IPBlock:")
        out.line(4, f"CIDR: {block.get('cidr', '')}")
        out.line(4, f"Except: {', '.join(block.get('except') or [])}")


DESCRIBER = Describer(write, events=False)
