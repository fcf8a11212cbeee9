"""serviceaccounts/token: a TokenRequest, answered by a ServiceAccount token that expires."""

from __future__ import annotations

from datetime import UTC, datetime

from kubelearn.api import errors
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.resource import Obj
from kubelearn.apiserver import codec, rest
from kubelearn.apiserver.admission._base import PODS
from kubelearn.apiserver.answers import json_response
from kubelearn.apiserver.auth import ISSUER
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource, body_of, only
from kubelearn.client.transport import Response
from kubelearn.kit import clock


async def _token(call: Call, kind: Kind, route: Route) -> Response:
    only(call, "POST")
    account = codec.decode(await rest.read(call.server, kind, route.namespace, route.name))
    asked = body_of(call, "authentication.k8s.io", "v1", "TokenRequest")
    spec = asked.get("spec") or {}
    seconds = spec.get("expirationSeconds") or 3600
    if not isinstance(seconds, int):
        raise errors.bad_request("spec.expirationSeconds must be a number of seconds")
    if seconds < 600:
        text = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        problem = FieldError("spec.expirationSeconds", "FieldValueInvalid", text)
        raise errors.invalid("authentication.k8s.io", "TokenRequest", "", [problem])
    audiences = spec.get("audiences") or [ISSUER]
    issued, until = call.server.authenticator.issue(
        route.namespace, route.name, account["metadata"]["uid"], audiences, seconds, await _bound(call, route, spec)
    )
    at = clock.rfc3339(datetime.fromtimestamp(until, UTC))
    return json_response(
        {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": route.name, "namespace": route.namespace},
            "spec": {
                "audiences": audiences,
                "expirationSeconds": seconds,
                "boundObjectRef": spec.get("boundObjectRef"),
            },
            "status": {"token": issued, "expirationTimestamp": at},
        },
        201,
    )


async def _bound(call: Call, route: Route, spec: Obj) -> dict[str, str] | None:
    """The pod that the token shall die with; raises ApiError 404 or 409 when it is not there or another one."""
    reference = spec.get("boundObjectRef")
    if not reference or reference.get("kind") != "Pod":
        return None
    pod = await call.server.read(PODS, route.namespace, str(reference.get("name", "")))
    uid = pod["metadata"]["uid"]
    if reference.get("uid") not in (None, "", uid):
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record ({uid})"
        raise errors.conflict(PODS, pod["metadata"]["name"], why)
    return {"name": pod["metadata"]["name"], "uid": uid}


SUBRESOURCE = Subresource(_token, ("create",), "authentication.k8s.io", "v1", "TokenRequest")
