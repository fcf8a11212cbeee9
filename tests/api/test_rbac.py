"""RBAC's arithmetic, against the documentation's own examples."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.api import rbac
from kubelearn.api.rbac import Attributes

READER = {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}
NAMED = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"], "verbs": ["update", "get"]}
SCALER = {"apiGroups": ["apps"], "resources": ["*/scale"], "verbs": ["*"]}
HEALTH = {"nonResourceURLs": ["/healthz", "/healthz/*"], "verbs": ["get"]}
ALL = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


@pytest.mark.parametrize(
    ("rule", "asked", "wanted"),
    [
        (READER, Attributes("get", "", "", "pods"), True),
        (READER, Attributes("get", "", "", "pods", "log"), True),
        (READER, Attributes("get", "", "", "pods", "exec"), False),
        (READER, Attributes("delete", "", "", "pods"), False),
        (READER, Attributes("get", "", "apps", "pods"), False),
        (NAMED, Attributes("get", "", "", "configmaps", name="mine"), True),
        (NAMED, Attributes("get", "", "", "configmaps", name="yours"), False),
        (NAMED, Attributes("list", "", "", "configmaps"), False),
        (SCALER, Attributes("patch", "", "apps", "deployments", "scale"), True),
        (SCALER, Attributes("patch", "", "apps", "deployments"), False),
        (HEALTH, Attributes("get", "/healthz/etcd"), True),
        (HEALTH, Attributes("get", "/metrics"), False),
        (ALL, Attributes("delete", "", "batch", "jobs", "status"), True),
        (ALL, Attributes("get", "/metrics"), False),
    ],
)
def test_what_a_rule_allows(rule: rbac.Rule, asked: Attributes, wanted: bool) -> None:
    assert rbac.allows(rule, asked) is wanted


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        ({"kind": "User", "name": "alice"}, False),
        ({"kind": "Group", "name": "system:serviceaccounts:shop"}, True),
        ({"kind": "ServiceAccount", "name": "robot", "namespace": "shop"}, True),
        ({"kind": "ServiceAccount", "name": "robot"}, True),
        ({"kind": "ServiceAccount", "name": "robot", "namespace": "other"}, False),
    ],
)
def test_whom_a_subject_means(subject: Any, wanted: bool) -> None:
    user, groups = "system:serviceaccount:shop:robot", ("system:serviceaccounts:shop",)
    assert rbac.means(subject, user, groups, "shop") is wanted


def test_what_is_not_covered_is_named_one_by_one() -> None:
    wanted = [{"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get", "delete"]}, HEALTH]
    assert rbac.compact(rbac.uncovered([READER], wanted)) == "\n".join(
        [
            '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
            '{APIGroups:[""], Resources:["secrets"], Verbs:["delete"]}',
            '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
            '{NonResourceURLs:["/healthz"], Verbs:["get"]}',
            '{NonResourceURLs:["/healthz/*"], Verbs:["get"]}',
        ]
    )
    assert rbac.uncovered([NAMED], [{**NAMED, "resourceNames": []}]), "a name is less than all names"
    assert not rbac.uncovered([{**NAMED, "resourceNames": []}], [NAMED])


_WORDS = {
    "apiGroups": ["*", "", "apps"],
    "resources": ["*", "pods", "pods/log", "*/log"],
    "verbs": ["*", "get", "list"],
}
_RULE = st.fixed_dictionaries(
    {field: st.lists(st.sampled_from(words), min_size=1, max_size=3) for field, words in _WORDS.items()}
)


@given(st.lists(_RULE, max_size=3))
def test_rules_cover_themselves(rules: list[Any]) -> None:
    assert rbac.uncovered(rules, rules) == []


@given(_RULE, st.lists(_RULE, max_size=3))
def test_what_covered_rules_allow_is_allowed(rule: Any, owned: list[Any]) -> None:
    if rbac.uncovered(owned, [rule]):
        return
    for verb in ("get", "list"):
        for group in ("", "apps"):
            for subresource in ("", "log"):
                asked = Attributes(verb, "", group, "pods", subresource)
                if rbac.allows(rule, asked):
                    assert any(rbac.allows(own, asked) for own in owned)
