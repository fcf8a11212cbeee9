"""What exec, attach and port-forward answer to a request that does not ask for an upgrade of its connection.

With one, the HTTP edge serves them: see `streams`.
"""

from __future__ import annotations

from kubelearn.api import errors
from kubelearn.api.kind import Kind
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource
from kubelearn.client.transport import Response


async def _needed(_call: Call, _kind: Kind, _route: Route) -> Response:
    raise errors.bad_request("Upgrade request required")


def upgraded(kind: str) -> Subresource:
    return Subresource(_needed, ("create", "get"), "", "v1", kind)
