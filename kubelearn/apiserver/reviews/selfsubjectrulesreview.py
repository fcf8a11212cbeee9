"""SelfSubjectRulesReview (authorization.k8s.io/v1): all that the caller may do in a namespace."""

from __future__ import annotations

from kubelearn.api.rbac import Rule
from kubelearn.api.resource import Obj
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.reviews._base import AUTHORIZATION, Review, invalid, kind

_RESOURCE = ("verbs", "apiGroups", "resources", "resourceNames")
_URL = ("verbs", "nonResourceURLs")


async def _answer(call: Call, review: Obj) -> Obj:
    namespace = (review.get("spec") or {}).get("namespace", "")
    if not namespace:
        raise invalid(review["kind"], "spec.namespace", "FieldValueRequired", "Required value")
    rules = call.server.rbac.rules(call.user, namespace)
    return {
        "resourceRules": [_of(rule, _RESOURCE) for rule in rules if rule.get("resources")],
        "nonResourceRules": [_of(rule, _URL) for rule in rules if rule.get("nonResourceURLs")],
        "incomplete": False,
    }


def _of(rule: Rule, names: tuple[str, ...]) -> Obj:
    return {name: rule[name] for name in names if rule.get(name)}


REVIEW = Review(kind(AUTHORIZATION, "SelfSubjectRulesReview"), _answer)
