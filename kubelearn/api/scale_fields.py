"""Who owns the number of replicas, seen through the scale subresource and back.

A Scale has no managedFields of its own: the owners of the parent's replicas are turned into owners of a Scale's
`.spec.replicas`, the write is tracked there, and what comes of it is put back. Pure. Source: Kubernetes' behaviour
(an entry that comes from a Scale has no time).
"""

from __future__ import annotations

from kubelearn.api import fieldset, managed_fields
from kubelearn.api.fieldset import Path
from kubelearn.api.managed_fields import APPLY, Entry, Managed

SCALE = "autoscaling/v1"
_REPLICAS: Path = ("f:spec", "f:replicas")


def path_of(dotted: str) -> Path:
    return tuple(fieldset.field(name) for name in dotted.split("."))


def to_scale(parent: Managed, path: Path) -> Managed:
    """The owners of the replicas, as a Scale's."""
    replicas = fieldset.of_path(_REPLICAS)
    return {
        owner: Entry(SCALE, replicas, entry.time) for owner, entry in parent.items() if fieldset.has(entry.fields, path)
    }


def to_parent(parent: Managed, scale: Managed, path: Path, api_version: str) -> Managed:
    """The parent's owners after a write to its Scale: who lost the replicas there loses them here."""
    replicas = fieldset.of_path(path)
    owners = {
        owner if owner.operation == APPLY else owner._replace(api_version=api_version): entry
        for owner, entry in scale.items()
        if fieldset.has(entry.fields, _REPLICAS)
    }
    after: Managed = {**parent}
    for owner, entry in parent.items():
        if fieldset.has(entry.fields, path) and owner not in owners:
            managed_fields.with_fields(after, owner, fieldset.difference(entry.fields, replicas))
    for owner in owners:
        known = after.get(owner)
        if known is None:
            after[owner] = Entry(api_version, replicas)
        elif not fieldset.has(known.fields, path):
            managed_fields.with_fields(after, owner, fieldset.union(known.fields, replicas))
    return after
