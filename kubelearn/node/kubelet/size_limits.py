"""emptyDir sizeLimits: now and then the pod's volumes are measured, and one that has grown too big evicts it.

Volumes in memory need none of this: they are made no bigger.
"""

from __future__ import annotations

import time

from kubelearn.api import quantity
from kubelearn.api.resource import Obj
from kubelearn.node.kubelet.shared import Shared
from kubelearn.node.kubelet.volumes import in_memory

#: The eviction manager's monitoring interval.
_PERIOD_SECONDS = 10.0
_FIRST_SECONDS = 2.0


class SizeLimits:
    """One pod's."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._due = time.monotonic() + _FIRST_SECONDS

    def due_in(self) -> float:
        return self._due - time.monotonic()

    async def exceeded(self, pod: Obj) -> str:
        """What the eviction says; empty while all is well or it is not yet time to look. Raises CriError."""
        limits = limits_of(pod)
        if not limits or self.due_in() > 0:
            return ""
        self._due = time.monotonic() + _PERIOD_SECONDS
        usage = await self._shared.cri.volume_usage(pod["metadata"]["uid"], list(limits))
        for name, limit in limits.items():
            if usage.get(name, 0) > quantity.parse(limit):
                return f'Usage of EmptyDir volume "{name}" exceeds the limit "{limit}". '
        return ""


def limits_of(pod: Obj) -> dict[str, str]:
    """Quantities by volume name."""
    found = {
        v["name"]: str((v.get("emptyDir") or {}).get("sizeLimit") or "")
        for v in pod["spec"].get("volumes") or ()
        if not in_memory(v)
    }
    return {name: limit for name, limit in found.items() if limit and quantity.parse(limit) > 0}
