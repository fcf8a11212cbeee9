"""DefaultStorageClass: a claim that names no class gets the default one, of several the newest."""

from __future__ import annotations

from kubelearn.api.kinds import storageclass
from kubelearn.apiserver.admission._base import Admission, Attempt

_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


async def _admit(attempt: Attempt) -> None:
    if not attempt.creates("persistentvolumeclaims"):
        return
    spec, annotations = attempt.obj["spec"], attempt.obj["metadata"].get("annotations") or {}
    if spec.get("storageClassName") is not None or _BETA_CLASS in annotations:
        return
    found = [c for c in await attempt.server.read_all(storageclass.RESOURCE) if storageclass.is_default(c)]
    if found:
        newest = max(found, key=lambda c: (c["metadata"]["creationTimestamp"], c["metadata"]["name"]))
        spec["storageClassName"] = newest["metadata"]["name"]


ADMISSION = Admission(80, _admit)
