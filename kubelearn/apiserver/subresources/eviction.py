"""pods/eviction: a deletion that asks politely (disruption budgets will be heard here)."""

from __future__ import annotations

from kubelearn.api.kind import Kind
from kubelearn.apiserver import deletion
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource, body_of, only, success
from kubelearn.client.transport import Response


async def _eviction(call: Call, kind: Kind, route: Route) -> Response:
    only(call, "POST")
    options = deletion.checked(call, body_of(call, "policy", "v1", "Eviction").get("deleteOptions") or {})
    await deletion.delete(call, kind, route.namespace, route.name, options)
    return success()


SUBRESOURCE = Subresource(_eviction, ("create",), "policy", "v1", "Eviction")
