"""Two pods cannot have the same port of a node."""

from __future__ import annotations

from typing import Any

from kubelearn.scheduler.framework import HostPort, NodeInfo, Plugin, PodInfo, Rejection

ANY = "0.0.0.0"


def _collide(a: HostPort, b: HostPort) -> bool:
    return (a[0], a[2]) == (b[0], b[2]) and (a[1] == b[1] or ANY in (a[1], b[1]))


def _filter(pod: PodInfo, node: NodeInfo, _state: Any) -> Rejection | None:
    if not pod.host_ports:
        return None
    used = [port for other in node.pods.values() for port in other.host_ports]
    if any(_collide(wanted, taken) for wanted in pod.host_ports for taken in used):
        return Rejection(("node(s) didn't have free ports for the requested pod ports",))
    return None


PLUGIN = Plugin("NodePorts", order=50, filter=_filter, helped_by=frozenset({"node", "pod-gone"}))
