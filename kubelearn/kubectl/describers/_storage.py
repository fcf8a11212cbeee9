"""What claims and volumes have in common: their class, access modes and state."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.api.table import age

_CLASS = "volume.beta.kubernetes.io/storage-class"
_SHORT = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def class_of(obj: Obj) -> str:
    """The storage class, by the annotation that came before the field, too."""
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    return annotations.get(_CLASS) or (obj.get("spec") or {}).get("storageClassName") or ""


def access_modes(found: list[str] | None) -> str:
    """`RWO,ROX`, in the order that kubectl has for them."""
    return ",".join(short for mode, short in _SHORT.items() if mode in (found or []))


def status_of(obj: Obj) -> str:
    if deleted := obj["metadata"].get("deletionTimestamp"):
        return f"Terminating (lasts {age(deleted)})"
    return str((obj.get("status") or {}).get("phase", ""))


def finalizers(obj: Obj) -> str:
    return f"[{' '.join(obj['metadata'].get('finalizers') or [])}]"
