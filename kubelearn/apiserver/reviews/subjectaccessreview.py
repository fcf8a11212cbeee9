"""SubjectAccessReview (authorization.k8s.io/v1): may somebody?"""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.apiserver.auth import User
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.reviews._base import AUTHORIZATION, Review, attributes, invalid, kind, verdict


async def answer(call: Call, review: Obj) -> Obj:
    spec, name = review.get("spec") or {}, review["kind"]
    asked = attributes(name, spec)
    if not spec.get("user") and not spec.get("groups"):
        text = "Invalid value: at least one of user or group must be specified"
        raise invalid(name, "spec.user", "FieldValueInvalid", text)
    user = User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), spec.get("extra") or {})
    return verdict(call, user, asked)


REVIEW = Review(kind(AUTHORIZATION, "SubjectAccessReview"), answer)
