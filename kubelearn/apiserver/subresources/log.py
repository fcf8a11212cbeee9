"""pods/log: what the pod's kubelet has kept of a container's output."""

from __future__ import annotations

from kubelearn.api.kind import Kind
from kubelearn.apiserver import codec, rest, streams
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource, only
from kubelearn.client.transport import Response


async def _log(call: Call, kind: Kind, route: Route) -> Response:
    only(call, "GET", "HEAD")
    pod = codec.decode(await rest.read(call.server, kind, route.namespace, route.name))
    return await streams.pod_log(call.server, call.request, pod)


SUBRESOURCE = Subresource(_log, ("get",))
