"""bindings: pods/NAME/binding under its older path, where the name is the body's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelearn.api import errors
from kubelearn.api.kinds.pod import KIND as POD
from kubelearn.api.resource import Resource
from kubelearn.apiserver.auth import User, component
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import body_of
from kubelearn.apiserver.subresources.binding import assign
from kubelearn.client.transport import Request, Response

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

RESOURCE = Resource("", "v1", "Binding", "bindings", "binding", True, verbs=("create",))


async def handle(server: ApiServer, request: Request, route: Route, user: User) -> Response:
    """Raises ApiError."""
    if route.verb != "create" or route.name or not route.namespace:
        raise errors.method_not_allowed()
    actor = component(user, request.headers.get("user-agent", ""))
    call = Call(server, request, user, actor, "All" in request.params("dryRun"))
    binding = body_of(call, "", "v1", "Binding")
    about = binding.get("metadata", {})
    if about.get("namespace") not in (None, "", route.namespace):
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if not about.get("name"):
        raise errors.bad_request("Name parameter required.")
    return await assign(call, POD, route.namespace, about["name"], binding)
