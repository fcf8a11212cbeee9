"""Resources that are no stored kinds, and who answers for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelearn.api.resource import Resource
from kubelearn.apiserver import bindings, component_status, kubelearn_group, metrics_group
from kubelearn.apiserver.auth import User
from kubelearn.apiserver.routing import Route
from kubelearn.client.transport import Request, Response

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

RESOURCES = (*kubelearn_group.RESOURCES, *metrics_group.RESOURCES, component_status.RESOURCE, bindings.RESOURCE)


async def handle(server: ApiServer, request: Request, resource: Resource, route: Route, user: User) -> Response:
    """Raises ApiError."""
    if resource is component_status.RESOURCE:
        return await component_status.handle(server, request, route)
    if resource is bindings.RESOURCE:
        return await bindings.handle(server, request, route, user)
    if resource.group == metrics_group.GROUP:
        return await metrics_group.handle(server, request, resource, route)
    return await kubelearn_group.handle(server, request, resource, route.name, route.subresource, user)
