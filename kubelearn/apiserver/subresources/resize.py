"""pods/resize: read as Kubernetes serves it. Writes are refused: no engine here changes a running container's limits
(the CRI's UpdateContainerResources), and a spec that nothing acts on would be a lie."""

from __future__ import annotations

from kubelearn.api import errors
from kubelearn.api.errors import ApiError
from kubelearn.api.kind import Kind
from kubelearn.apiserver import rest, verbs
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource
from kubelearn.client.transport import Response

_VERBS = ("get", "patch", "update")


async def _resize(call: Call, kind: Kind, route: Route) -> Response:
    if route.verb not in _VERBS:
        raise errors.method_not_allowed()
    if route.verb == "get":
        return await verbs.VERBS["get"](call, kind, route)
    await rest.read(call.server, kind, route.namespace, route.name)
    why = (
        f'pod "{route.name}" cannot be resized in place: kubelearn\'s engines do not change the limits of a running '
        "container. Set resources in the pod template of what made the pod (kubectl set resources deployment/NAME …), "
        "which then makes new pods; or delete the pod and create it again with other resources"
    )
    raise ApiError(501, "NotImplemented", why, {"name": route.name, "kind": "pods"})


SUBRESOURCE = Subresource(_resize, _VERBS)
