"""SelfSubjectAccessReview (authorization.k8s.io/v1): may the caller?"""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.reviews._base import AUTHORIZATION, Review, attributes, kind, verdict


async def _answer(call: Call, review: Obj) -> Obj:
    return verdict(call, call.user, attributes("SelfSubjectAccessReview", review.get("spec") or {}))


REVIEW = Review(kind(AUTHORIZATION, "SelfSubjectAccessReview"), _answer)
