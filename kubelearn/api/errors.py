"""API errors with Kubernetes' `Status` reasons, and the constructors that word them as apimachinery does.

Source: k8s.io/apimachinery/pkg/api/errors. The one exception that crosses the server's and the client's seam.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubelearn.api.kind import FieldError
from kubelearn.api.resource import Obj, Resource


class ApiError(Exception):
    """An answer that is a `Status` with `status: Failure`."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = headers or {}
        self.list_continue = ""  # of an expired list: the token that goes on with the rest of it

    def status(self) -> Obj:
        """The `Status` object, as answered over HTTP."""
        out: Obj = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.list_continue:
            out["metadata"] = {"continue": self.list_continue}
        if self.reason:
            out["reason"] = self.reason
        if self.details is not None:
            out["details"] = self.details
        out["code"] = self.code
        return out

    @classmethod
    def from_status(cls, status: Obj, code: int = 0) -> ApiError:
        return cls(
            int(status.get("code") or code),
            status.get("reason", ""),
            status.get("message", ""),
            status.get("details"),
        )


def _details(resource: Resource, name: str) -> dict[str, Any]:
    out: dict[str, Any] = {"name": name} if name else {}
    if resource.group:
        out["group"] = resource.group
    out["kind"] = resource.plural
    return out


def not_found(resource: Resource, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{resource.group_resource} "{name}" not found', _details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    return ApiError(
        409, "AlreadyExists", f'{resource.group_resource} "{name}" already exists', _details(resource, name)
    )


def conflict(resource: Resource, name: str, why: str = "") -> ApiError:
    why = why or ("the object has been modified; please apply your changes to the latest version and try again")
    return ApiError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {resource.group_resource} "{name}": {why}',
        _details(resource, name),
    )


def invalid(group: str, kind: str, name: str, errors: Iterable[FieldError]) -> ApiError:
    causes = list(errors)
    texts = [f"{e.field}: {e.message}" for e in causes]
    joined = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details: dict[str, Any] = {"name": name} if name else {}
    if group:
        details["group"] = group
    details["kind"] = kind
    details["causes"] = [{"reason": e.reason, "message": e.message, "field": e.field} for e in causes]
    qualified = f"{kind}.{group}" if group else kind
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {joined}', details)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(resource: Resource | None, name: str, why: str) -> ApiError:
    if resource is None:
        return ApiError(403, "Forbidden", f"forbidden: {why}", {})
    subject = f'{resource.group_resource} "{name}"' if name else resource.group_resource
    return ApiError(403, "Forbidden", f"{subject} is forbidden: {why}", _details(resource, name))


def method_not_allowed(
    message: str = "the server does not allow this method on the requested resource",
) -> ApiError:
    return ApiError(405, "MethodNotAllowed", message, {})


def expired(message: str) -> ApiError:
    """410: the resource version asked for has been compacted away."""
    return ApiError(410, "Expired", message)


def unsupported_media_type(message: str) -> ApiError:
    return ApiError(415, "UnsupportedMediaType", message, {})


def request_entity_too_large(message: str) -> ApiError:
    return ApiError(413, "RequestEntityTooLarge", message, {})


def too_many_requests(message: str, retry_seconds: int) -> ApiError:
    return ApiError(
        429,
        "TooManyRequests",
        message,
        {"retryAfterSeconds": retry_seconds},
        {"Retry-After": str(retry_seconds)},
    )


def internal(message: str) -> ApiError:
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]})


def service_unavailable(message: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", message, {})


def timeout(message: str, retry_seconds: int = 0) -> ApiError:
    details = {"retryAfterSeconds": retry_seconds} if retry_seconds else {}
    return ApiError(504, "Timeout", message, details)
