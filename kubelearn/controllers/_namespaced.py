"""Objects that every namespace is given: made once, in namespaces that are not on their way out."""

from __future__ import annotations

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers.base import ControllerContext
from kubelearn.trace import cause


def takes_objects(namespace: Obj | None) -> bool:
    """It exists and does not terminate."""
    if namespace is None or "deletionTimestamp" in namespace["metadata"]:
        return False
    return bool(namespace.get("status", {}).get("phase", "Active") == "Active")


async def create(context: ControllerContext, resource: Resource, obj: Obj) -> None:
    """Create it; that it is there already, or that the namespace goes meanwhile, is no error."""
    meta = obj["metadata"]
    cause.add_note(reconcile=f"namespace {meta['namespace']} has no {obj['kind']} {meta['name']} → create it")
    try:
        await context.create(resource, obj)
    except ApiError as error:
        causes = (error.details or {}).get("causes") or []
        goes = any(c.get("reason") == "NamespaceTerminating" for c in causes)
        if error.reason not in ("AlreadyExists", "NotFound") and not goes:
            raise
