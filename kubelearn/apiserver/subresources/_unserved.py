"""Subresources that Kubernetes has and discovery lists, and that this server refuses by name."""

from __future__ import annotations

from kubelearn.api.errors import ApiError
from kubelearn.api.kind import Kind
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource
from kubelearn.client.transport import Response


async def _refuse(_call: Call, _kind: Kind, route: Route) -> Response:
    raise ApiError(501, "NotImplemented", f"kubelearn does not serve the subresource {route.subresource} yet", {})


def unserved() -> Subresource:
    return Subresource(_refuse, ("get", "patch", "update"))
