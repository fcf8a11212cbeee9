"""LocalSubjectAccessReview (authorization.k8s.io/v1): may somebody, in this namespace?"""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.reviews._base import AUTHORIZATION, Review, invalid, kind
from kubelearn.apiserver.reviews.subjectaccessreview import answer


async def _answer(call: Call, review: Obj) -> Obj:
    spec, namespace = review.get("spec") or {}, review["metadata"].get("namespace", "")
    asked = spec.get("resourceAttributes")
    if asked is None:
        text = "Invalid value: disallowed on this kind of request"
        raise invalid(review["kind"], "spec.nonResourceAttributes", "FieldValueInvalid", text)
    if asked.get("namespace", "") != namespace:
        text = "must match metadata.namespace"
        raise invalid(
            review["kind"], "spec.resourceAttributes.namespace", "FieldValueInvalid", f"Invalid value: {text}"
        )
    return await answer(call, review)


REVIEW = Review(kind(AUTHORIZATION, "LocalSubjectAccessReview", namespaced=True), _answer)
