"""Role (rbac.authorization.k8s.io/v1)."""

from __future__ import annotations

from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.kinds import _rbac as rbac
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import CREATED_AT, NAME
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource(rbac.GROUP, "v1", "Role", "roles", "role", True)


def validate(obj: Obj) -> list[FieldError]:
    return rbac.rules(r.objects(obj, "rules"), namespaced=True)


KIND = Kind(
    RESOURCE, (NAME, CREATED_AT), rbac.default_role, validate, create_on_update=True, name_rule="path-segment"
)  # fmt: skip
