"""ServiceAccount (core/v1)."""

from __future__ import annotations

from kubelearn.api.kind import Kind
from kubelearn.api.kinds._columns import AGE, NAME
from kubelearn.api.resource import Resource

RESOURCE = Resource(
    "", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", True, short_names=("sa",), subresources=("token",)
)

KIND = Kind(RESOURCE, (NAME, AGE))
