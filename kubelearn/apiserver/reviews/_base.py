"""The descriptor of a review, and what their answers share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from kubelearn.api import errors
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.rbac import Attributes
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver.auth import User
from kubelearn.apiserver.call import Call

AUTHENTICATION, AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class Review:
    """`answer` gives the status; it raises ApiError for a spec that makes no sense."""

    kind: Kind
    answer: Callable[[Call, Obj], Awaitable[Obj]]


def kind(group: str, name: str, *, namespaced: bool = False) -> Kind:
    plural = name.lower() + "s"
    return Kind(Resource(group, "v1", name, plural, name.lower(), namespaced, verbs=("create",)))


def invalid(review: str, field: str, reason: str, message: str) -> errors.ApiError:
    return errors.invalid(AUTHORIZATION, review, "", [FieldError(field, reason, message)])


def user_info(user: User) -> Obj:
    info: dict[str, Any] = {"username": user.name}
    info |= {"uid": user.uid} if user.uid else {}
    info |= {"groups": list(user.groups)} if user.groups else {}
    return info | ({"extra": {k: list(v) for k, v in user.extra.items()}} if user.extra else {})


def attributes(review: str, spec: Obj) -> Attributes:
    """What a SubjectAccessReview asks about. Raises ApiError 422 unless it is one thing."""
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if path is not None and resource is None:
        return Attributes(path.get("verb", ""), path.get("path", ""))
    if path is not None:
        text = "Invalid value: cannot be specified in combination with resourceAttributes"
        raise invalid(review, "spec.nonResourceAttributes", "FieldValueInvalid", text)
    if resource is None:
        text = "Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise invalid(review, "spec.resourceAttributes", "FieldValueInvalid", text)
    names = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Attributes(path="", **{name: resource.get(name, "") for name in names})


def verdict(call: Call, user: User, asked: Attributes) -> Obj:
    why = call.server.authorizer.allows(user, asked)
    if why is None:
        return {"allowed": False}
    return {"allowed": True, **({"reason": why} if why else {})}
