"""An EndpointSlice: not a box of its own, but the lines from a Service to its pods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubelearn.api.resource import Obj, Resource
from kubelearn.graph.node_type import Edge, NodeType, node_id
from kubelearn.graph.state import State

if TYPE_CHECKING:
    from kubelearn.graph.snapshot import Snapshot


def _edges(endpoints: Obj, _snapshot: Snapshot) -> Iterable[Edge]:
    meta = endpoints["metadata"]
    service = meta.get("labels", {}).get("kubernetes.io/service-name")
    if not service:
        return
    source = node_id("Service", meta["namespace"], service)
    for endpoint in endpoints.get("endpoints") or ():
        target = endpoint.get("targetRef", {})
        if target.get("kind") == "Pod":
            ready = endpoint.get("conditions", {}).get("ready", True)
            yield Edge(source, node_id("Pod", meta["namespace"], target["name"]), "routes-to", ready)


NODE = NodeType(
    Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", True),
    lambda _endpoints: State.RUNNING,
    lambda _endpoints: "",
    _edges,
    drawn=False,
)
