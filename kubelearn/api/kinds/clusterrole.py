"""ClusterRole (rbac.authorization.k8s.io/v1)."""

from __future__ import annotations

from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.kinds import _rbac as rbac
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import CREATED_AT, NAME
from kubelearn.api.kinds._errors import required
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(rbac.GROUP, "v1", "ClusterRole", "clusterroles", "clusterrole", False)


def validate(obj: Obj) -> list[FieldError]:
    out = rbac.rules(r.objects(obj, "rules"), namespaced=False)
    if r.has(obj, "aggregationRule"):
        path, found = "aggregationRule.clusterRoleSelectors", r.mapping(obj, "aggregationRule")
        chosen = r.objects(found, "clusterRoleSelectors")
        if not chosen:
            out.append(required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil"))
        for index, selector in enumerate(chosen):
            out += label_selector(f"{path}[{index}]", selector)
    return out


KIND = Kind(
    RESOURCE, (NAME, CREATED_AT), rbac.default_role, validate, create_on_update=True, name_rule="path-segment"
)  # fmt: skip
