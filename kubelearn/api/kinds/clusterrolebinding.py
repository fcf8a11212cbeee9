"""ClusterRoleBinding (rbac.authorization.k8s.io/v1)."""

from __future__ import annotations

from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.kinds import _rbac as rbac
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(rbac.GROUP, "v1", "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", False)


def validate(obj: Obj) -> list[FieldError]:
    return rbac.binding(obj, ("ClusterRole",), namespaced=False)


KIND = Kind(
    RESOURCE, rbac.BINDING_COLUMNS, rbac.default_binding, validate, rbac.same_role,
    create_on_update=True, name_rule="path-segment",
)  # fmt: skip
