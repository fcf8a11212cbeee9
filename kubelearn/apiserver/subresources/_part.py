"""A part of the object with a path of its own: the same verbs as the whole, which then touch that part only."""

from __future__ import annotations

from kubelearn.api import errors
from kubelearn.api.kind import Kind
from kubelearn.apiserver import verbs
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource
from kubelearn.client.transport import Response


def part(allowed: tuple[str, ...]) -> Subresource:
    async def handle(call: Call, kind: Kind, route: Route) -> Response:
        if route.verb not in allowed:
            raise errors.method_not_allowed()
        return await verbs.VERBS[route.verb](call, kind, route)

    return Subresource(handle, allowed)
