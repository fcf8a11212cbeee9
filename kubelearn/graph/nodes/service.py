"""A Service: one address in front of pods that come and go."""

from __future__ import annotations

from kubelearn.api.resource import Obj, Resource
from kubelearn.graph.node_type import NodeType
from kubelearn.graph.state import State


def _detail(service: Obj) -> str:
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    address = spec.get("clusterIP", "")
    ports = ",".join(str(p["port"]) for p in spec.get("ports", ()))
    return f"{address}:{ports}" if address and address != "None" else f"headless:{ports}"


NODE = NodeType(Resource("", "v1", "Service", "services", "service", True), lambda _service: State.RUNNING, _detail)
