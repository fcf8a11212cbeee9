"""SelfSubjectReview (authentication.k8s.io/v1): who the server takes the caller for."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.reviews._base import AUTHENTICATION, Review, kind, user_info


async def _answer(call: Call, _review: Obj) -> Obj:
    return {"userInfo": user_info(call.user)}


REVIEW = Review(kind(AUTHENTICATION, "SelfSubjectReview"), _answer)
