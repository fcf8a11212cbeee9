"""PATCH bodies: from a request to a function that makes the new object of the old one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubelearn.api import decoding, errors, patch, schema
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import bodies
from kubelearn.client.transport import Request

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_ACCEPTED = (JSON, MERGE, STRATEGIC, APPLY)


def parse(request: Request, resource: Resource, *, strategic: bool = True) -> Callable[[Obj], Obj]:
    """Without `strategic` for what has no merge keys: custom resources. Raises ApiError: 415 for a media type that is not
    served, 400 for a body that is no patch of its type; the function raises 422 when the patch does not apply."""
    how = bodies.media_type(request)
    accepted = [kind for kind in _ACCEPTED if strategic or kind != STRATEGIC]
    if how not in accepted or how == APPLY:
        listed = ", ".join(accepted)
        raise errors.unsupported_media_type(
            f"the body of the request was in an unknown format - accepted media types include: {listed}"
        )
    body: Any = bodies.parse(request)
    if body is None and how == STRATEGIC:
        body = {}  # Go reads null as a map without anything
    fits = isinstance(body, list) if how == JSON else isinstance(body, dict)
    if not fits:
        wanted = "Patch" if how == JSON else "map[string]interface {}"
        raise errors.bad_request(f"json: cannot unmarshal {decoding.json_kind(body)} into Go value of type {wanted}")

    def apply(old: Obj) -> Obj:
        try:
            if how == JSON:
                new = patch.json_patch(old, body)
            elif how == MERGE:
                new = patch.merge_patch(old, body)
            else:
                found = schema.for_kind(resource.group, resource.version, resource.kind)
                new = patch.strategic_merge(old, body, found)
        except patch.PatchError as error:
            if how == JSON:
                text = "the server rejected our request due to an error in our request"
                raise ApiError(422, "Invalid", text, {}) from error
            raise errors.bad_request(str(error)) from error
        if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
            raise errors.bad_request("the patch leaves no object")
        bodies.bounded(new)
        if how == STRATEGIC:  # which Kubernetes does on the decoded object, that has its kind from elsewhere
            return {**new, "apiVersion": resource.api_version, "kind": resource.kind}
        bodies.check_kind(new, resource)
        return new

    return apply
