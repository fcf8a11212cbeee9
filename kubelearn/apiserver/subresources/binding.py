"""pods/binding: the scheduler's verdict, the pod's node, once and for ever."""

from __future__ import annotations

from kubelearn.api import errors
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj
from kubelearn.apiserver import rest
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource, body_of, only, success
from kubelearn.client.transport import Response
from kubelearn.kit import clock


async def _binding(call: Call, kind: Kind, route: Route) -> Response:
    only(call, "POST")
    node = body_of(call, "", "v1", "Binding").get("target", {}).get("name", "")
    if not node:
        raise errors.invalid("", "Binding", route.name, [rest.required("target.name")])

    async def bind(pod: Obj) -> Obj:
        if pod["metadata"].get("deletionTimestamp"):
            raise errors.conflict(
                kind.resource, route.name, f"pod {route.name} is being deleted, cannot be assigned to a host"
            )
        if pod["spec"].get("nodeName"):
            why = f'pod {route.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
            raise errors.conflict(kind.resource, route.name, why)
        pod["spec"]["nodeName"] = node
        condition = {
            "type": "PodScheduled", "status": "True", "lastProbeTime": None,
            "lastTransitionTime": clock.rfc3339(clock.utc_now()),
        }  # fmt: skip
        others = [c for c in pod.get("status", {}).get("conditions", ()) if c["type"] != "PodScheduled"]
        status = pod.setdefault("status", {})
        status["conditions"] = [*others, condition]
        status.pop("nominatedNodeName", None)
        return pod

    await rest.write(call, kind, route.namespace, route.name, bind, "bind")
    return success()


SUBRESOURCE = Subresource(_binding, ("create",), "", "v1", "Binding")
