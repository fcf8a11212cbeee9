"""The annotation by which `apply` remembers what was asked for last time."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.printers.encode import to_json

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def annotated(obj: Obj) -> Obj:
    """`obj` with itself, as compact JSON, in the annotation."""
    plain = without(obj)
    meta = plain["metadata"]
    noted = {**meta["annotations"], ANNOTATION: to_json(plain, None) + "\n"}
    return {**plain, "metadata": {**meta, "annotations": noted}}


def without(obj: Obj) -> Obj:
    """`obj` without the annotation, as it is kept in it: with annotations, if only empty ones."""
    meta = obj.get("metadata") or {}
    others = {k: v for k, v in (meta.get("annotations") or {}).items() if k != ANNOTATION}
    return {**obj, "metadata": {**meta, "annotations": others}}


def has(obj: Obj) -> bool:
    return ANNOTATION in ((obj.get("metadata") or {}).get("annotations") or {})


def refreshed(before: Obj, obj: Obj, save: bool) -> Obj:
    """For a command that replaces an object: keep the annotation current where there is one, or where asked to."""
    return annotated(obj) if save or has(before) else obj
