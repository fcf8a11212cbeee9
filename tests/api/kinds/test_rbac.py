"""Roles and bindings."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from kubelearn.api import table
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj

Build = Callable[..., Obj]
Create = Callable[[Obj], list[str]]
Update = Callable[[Obj, Obj], list[str]]

GROUP = "rbac.authorization.k8s.io"


def test_role_without_rules(build: Build, create: Create) -> None:
    obj = build("Role")
    assert create(obj) == []
    assert obj["rules"] is None


@pytest.mark.parametrize(
    ("kind", "rule", "expected"),
    [
        ("Role", {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}, []),
        ("Role", {},
         ["rules[0].verbs: Required value: verbs must contain at least one value",
          "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
          "rules[0].resources: Required value: resource rules must supply at least one resource"]),
        ("Role", {"verbs": ["get"], "nonResourceURLs": ["/x"]},
         ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs']),
        ("ClusterRole", {"verbs": ["get"], "nonResourceURLs": ["/x"]}, []),
        ("ClusterRole", {"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["pods"]},
         ['rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and '
          "non-resource URLs"]),
    ],
)  # fmt: skip
def test_rules(build: Build, create: Create, kind: str, rule: Obj, expected: list[str]) -> None:
    assert create(build(kind, rules=[rule])) == expected


def test_names_are_path_segments(build: Build, create: Create) -> None:
    obj = build("ClusterRole")
    obj["metadata"]["name"] = "system:node/x"
    assert create(obj) == ["metadata.name: Invalid value: \"system:node/x\": may not contain '/'"]


def test_aggregation_needs_selectors(build: Build, create: Create) -> None:
    assert create(build("ClusterRole", aggregationRule={})) == [
        "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
        "aggregationRule is non-nil"
    ]


def test_binding_defaults(build: Build, create: Create) -> None:
    subjects = [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "d", "namespace": "n"}]
    obj = build("ClusterRoleBinding", roleRef={"kind": "ClusterRole", "name": "view"}, subjects=subjects)
    assert create(obj) == []
    assert obj["roleRef"]["apiGroup"] == GROUP
    assert [s.get("apiGroup") for s in obj["subjects"]] == [GROUP, None]


@pytest.mark.parametrize(
    ("kind", "role", "subject", "expected"),
    [
        ("ClusterRoleBinding", {"kind": "Role", "name": "r"}, {"kind": "User", "name": "u"},
         ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"']),
        ("RoleBinding", {"kind": "Odd", "name": ""}, {"kind": "User", "name": "u"},
         ['roleRef.kind: Unsupported value: "Odd": supported values: "Role", "ClusterRole"',
          "roleRef.name: Required value"]),
        ("ClusterRoleBinding", {"kind": "ClusterRole", "name": "r"}, {"kind": "ServiceAccount", "name": "a"},
         ["subjects[0].namespace: Required value"]),
        ("RoleBinding", {"kind": "Role", "name": "r"}, {"kind": "ServiceAccount", "name": "a"}, []),
        ("RoleBinding", {"kind": "Role", "name": "r"}, {"kind": "Robot", "name": "a"},
         ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"']),
        ("RoleBinding", {"kind": "Role", "name": "r"}, {"kind": "User", "name": ""},
         ["subjects[0].name: Required value", 'subjects[0].name: Invalid value: "": user name cannot be empty']),
    ],
)  # fmt: skip
def test_bindings(build: Build, create: Create, kind: str, role: Obj, subject: Obj, expected: list[str]) -> None:
    assert create(build(kind, roleRef=role, subjects=[subject])) == expected


@pytest.mark.parametrize("kind", ["RoleBinding", "ClusterRoleBinding"])
def test_the_role_stays(build: Build, create: Create, update: Update, kind: str) -> None:
    old = build(kind, roleRef={"kind": "ClusterRole", "name": "a"})
    create(old)
    new = copy.deepcopy(old)
    new["roleRef"]["name"] = "b"
    assert update(new, old) == [
        f'roleRef: Invalid value: {{"APIGroup":"{GROUP}","Kind":"ClusterRole","Name":"b"}}: cannot change roleRef'
    ]


def test_columns(build: Build, create: Create, kinds: dict[str, Kind]) -> None:
    subjects = [{"kind": "Group", "name": "g"}, {"kind": "ServiceAccount", "name": "d", "namespace": "n"},
                {"kind": "ServiceAccount", "name": "e", "namespace": "n"}]  # fmt: skip
    obj = build("RoleBinding", roleRef={"kind": "Role", "name": "r"}, subjects=subjects)
    create(obj)
    row = table.render(kinds["RoleBinding"].columns, [obj])["rows"][0]["cells"]
    assert [row[1], *row[3:]] == ["Role/r", "", "g", "n/d, n/e"]
