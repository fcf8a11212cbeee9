"""The descriptor of a subresource, and what their handlers share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from kubelearn.api import errors, schema
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj
from kubelearn.apiserver import bodies
from kubelearn.apiserver.answers import json_response
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.client.transport import Response

Handler = Callable[[Call, Kind, Route], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Subresource:
    """`kind` with its group and version is what discovery says of the body; empty: the parent's own kind.
    `kind_of` names it where it depends on the parent."""

    handle: Handler
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""
    kind: str = ""
    kind_of: Callable[[str], str] | None = None


def success(status: int = 201) -> Response:
    body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": status}
    return json_response(body, status)


def body_of(call: Call, group: str, version: str, kind: str) -> Obj:
    """The body as an object of this kind, empty if there is none; raises ApiError 400."""
    found = bodies.parse(call.request) if call.request.body else {}
    if not isinstance(found, dict):
        raise errors.bad_request("the body must be an object")
    return typed(found, group, version, kind)


def typed(obj: Obj, group: str, version: str, kind: str) -> Obj:
    """The object as decoded; raises ApiError 400 when a field has another type than its kind says."""
    decoded, check = schema.normalize(obj, group, version, kind)
    if check.errors:
        raise errors.bad_request(check.message(kind, version))
    return decoded


def only(call: Call, *methods: str) -> None:
    """Raises ApiError 405 for any other method."""
    if call.request.method not in methods:
        raise errors.method_not_allowed()
