"""TokenReview (authentication.k8s.io/v1): whose a bearer token is."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.apiserver.auth import ISSUER
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.reviews._base import AUTHENTICATION, Review, kind, user_info


async def _answer(call: Call, review: Obj) -> Obj:
    spec = review.get("spec") or {}
    wanted = spec.get("audiences") or [ISSUER]
    user = await call.server.authenticate(spec.get("token", ""))
    if user is None:
        return {"user": {}, "error": "[invalid bearer token, token lookup failed]"}
    if ISSUER not in wanted:
        return {"user": {}, "error": f"token audiences {[ISSUER]} is invalid for the target audiences {wanted}"}
    return {"authenticated": True, "user": user_info(user), "audiences": [ISSUER]}


REVIEW = Review(kind(AUTHENTICATION, "TokenReview"), _answer)
