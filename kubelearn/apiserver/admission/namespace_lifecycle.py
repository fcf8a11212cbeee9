"""NamespaceLifecycle: no new object in a namespace that is missing or going."""

from __future__ import annotations

from kubelearn.api import errors
from kubelearn.apiserver.admission._base import NAMESPACES, Admission, Attempt


async def _admit(attempt: Attempt) -> None:
    """Raises ApiError 404 or 403."""
    if not attempt.resource.namespaced or attempt.old is not None:
        return
    name = attempt.namespace
    found = await attempt.server.read(NAMESPACES, "", name)
    if found["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {name} because it is being terminated"
        refusal = errors.forbidden(attempt.resource, attempt.name, why)
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {name} is being terminated",
            "field": "metadata.namespace",
        }
        refusal.details = {**(refusal.details or {}), "causes": [cause]}
        raise refusal


ADMISSION = Admission(10, _admit)
