"""componentstatuses: how the control plane's parts are, as kube-apiserver's own probes of them would say.

The parts run in this process, so whoever starts one leaves a probe at `ApiServer.probes`; etcd-0 is the store, whose
health check is the server's own. Deprecated, which every answer says.
Source: Kubernetes' pkg/registry/core/componentstatus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelearn.api import errors
from kubelearn.api.kind import Column, Kind
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import health, selection, shapes
from kubelearn.apiserver.answers import json_response
from kubelearn.apiserver.routing import Route
from kubelearn.client.transport import Request, Response

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

RESOURCE = Resource(
    "", "v1", "ComponentStatus", "componentstatuses", "componentstatus", False, ("cs",), verbs=("get", "list")
)
PARTS = ("scheduler", "controller-manager", "etcd-0")
_WARNING = {"warning": '299 - "v1 ComponentStatus is deprecated in v1.19+"'}


async def handle(server: ApiServer, request: Request, route: Route) -> Response:
    """Raises ApiError."""
    if route.subresource:
        raise errors.ApiError(404, "NotFound", "the server could not find the requested resource", {})
    if request.method not in ("GET", "HEAD") or route.verb == "watch":
        raise errors.method_not_allowed()
    if route.name:
        if route.name not in PARTS:
            raise errors.ApiError(500, "", f"Component not found: {route.name}")  # no 404 in Kubernetes either
        found = await _status(server, route.name)
        return _answer(request, [found], found)
    chosen = selection.of(request, _KIND)
    items = [status for part in PARTS if chosen.matches(status := await _status(server, part))]
    return _answer(request, items, {"kind": "ComponentStatusList", "apiVersion": "v1", "metadata": {}, "items": items})


async def _status(server: ApiServer, part: str) -> Obj:
    wrong = await _problem(server, part)
    condition = {"type": "Healthy", "status": "False" if wrong else "True"}
    condition |= {"error": wrong} if wrong else {"message": "ok"}
    return {"kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": part}, "conditions": [condition]}


async def _problem(server: ApiServer, part: str) -> str:
    """What is wrong with a part of the control plane; empty if nothing is."""
    if part == "etcd-0":
        return "" if await health.check(server, "etcd") else "the store does not answer"
    probe = server.probes.get(part)
    return probe() if probe is not None else f"the {part} has not been started"


def _answer(request: Request, items: list[Obj], whole: Obj) -> Response:
    if shapes.wanted(request) == "Table":
        whole = shapes.as_table(request, _KIND, items, {})
    answer = json_response(whole)
    answer.headers = {**answer.headers, **_WARNING}
    return answer


def _condition(obj: Obj) -> Obj:
    condition: Obj = obj["conditions"][0]
    return condition


_KIND = Kind(
    RESOURCE,
    (
        Column("Name", lambda o: o["metadata"]["name"], format="name", description="Name of the part."),
        Column("Status", lambda o: "Healthy" if _condition(o)["status"] == "True" else "Unhealthy"),
        Column("Message", lambda o: _condition(o).get("message", "")),
        Column("Error", lambda o: _condition(o).get("error", "")),
    ),
)
