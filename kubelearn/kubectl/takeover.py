"""From client-side to server-side apply: what kubectl does to an object's owners the first time it applies it on the
server, so that fields which are no longer applied go away as they did before.

The owner `kubectl-client-side-apply` becomes the applier `kubectl`; the annotation of client-side apply gets an
applier of its own, so that nobody's configuration removes it.
"""

from __future__ import annotations

from typing import Any

from kubelearn.api import fieldset, managed_fields
from kubelearn.api.errors import ApiError
from kubelearn.api.managed_fields import Entry, Managed
from kubelearn.api.resource import Obj
from kubelearn.client.rest import APPLY_PATCH, JSON_PATCH, Client
from kubelearn.kubectl import lastapplied
from kubelearn.kubectl.printers import encode
from kubelearn.kubectl.resources import Target

APPLIER = "kubectl"
CLIENT_SIDE = "kubectl-client-side-apply"
_ANNOTATION_APPLIER = "kubectl-last-applied"
_ATTEMPTS = 4


def owners(entries: list[Obj]) -> list[Obj] | None:
    """The managedFields after the move; None where there is nothing to move."""
    managed: Managed = managed_fields.stored(entries)
    old = [owner for owner in managed if owner[:2] == (CLIENT_SIDE, managed_fields.UPDATE) and not owner.subresource]
    if not old:
        return None
    applier = managed_fields.applier(APPLIER)
    for owner in old:
        entry, mine = managed.pop(owner), managed.get(applier)
        fields = fieldset.union(mine.fields, entry.fields) if mine else entry.fields
        managed[applier] = Entry(entry.api_version, fields, mine.time if mine else entry.time)
    return managed_fields.encode(managed)


async def take_over(client: Client, target: Target, obj: Obj) -> bool:
    """Move the owners of an object that was just applied; whether there was anything to move. Raises ApiError."""
    for _ in range(_ATTEMPTS):
        try:
            return await _take_over(client, target, obj)
        except ApiError as error:
            if error.reason != "Conflict":
                raise
            obj = await client.get(target.resource, target.name, target.namespace)  # somebody was faster
    return await _take_over(client, target, obj)


async def _take_over(client: Client, target: Target, obj: Obj) -> bool:
    if owners(obj["metadata"].get("managedFields") or []) is None:
        return False
    where = target.resource, target.name, target.namespace
    if text := (obj["metadata"].get("annotations") or {}).get(lastapplied.ANNOTATION):
        body = encode.to_json(_annotation(target, text), None).encode()
        obj = await client.patch(*where, body, APPLY_PATCH, fieldManager=_ANNOTATION_APPLIER)
    change: list[dict[str, Any]] = [
        {"op": "replace", "path": "/metadata/managedFields", "value": owners(obj["metadata"]["managedFields"])},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": obj["metadata"]["resourceVersion"]},
    ]
    await client.patch(*where, encode.to_json(change, None).encode(), JSON_PATCH, fieldManager=APPLIER)
    return True


def _annotation(target: Target, text: str) -> Obj:
    named = {"name": target.name} | ({"namespace": target.namespace} if target.namespace else {})
    return {
        "apiVersion": target.resource.api_version,
        "kind": target.resource.kind,
        "metadata": {**named, "annotations": {lastapplied.ANNOTATION: text}},
    }
