"""What ends a pod before its time: its activeDeadlineSeconds, and an emptyDir that has outgrown its sizeLimit.

Volumes are measured now and then; those in memory are made no bigger.
"""

from __future__ import annotations

import time

from kubelearn.api import quantity
from kubelearn.api.resource import Obj
from kubelearn.kit.clock import parse
from kubelearn.node.kubelet import podspec
from kubelearn.node.kubelet.alarm import Alarm
from kubelearn.node.kubelet.runtime_state import PodRuntime
from kubelearn.node.kubelet.shared import Shared
from kubelearn.node.kubelet.volumes import in_memory

#: The eviction manager's monitoring interval, and the grace period of its immediate evictions.
_PERIOD_SECONDS = 10.0
_FIRST_SECONDS = 2.0
_EVICTION_GRACE = 1


class Endings:
    """One pod's. `verdict` is the reason and message of its failure, once there is one."""

    def __init__(self, shared: Shared, alarm: Alarm) -> None:
        self._shared = shared
        self._alarm = alarm
        self._measure_at = time.monotonic() + _FIRST_SECONDS
        self.verdict: tuple[str, str] | None = None

    async def look(self, pod: Obj, runtime: PodRuntime) -> None:
        """Raises CriError when a volume cannot be measured."""
        if self.verdict is None and not podspec.is_terminal(pod):
            self._check_deadline(pod)
        if self.verdict is None and runtime.running():
            await self._check_sizes(pod)

    def grace_seconds(self, pod: Obj) -> int:
        evicted = self.verdict is not None and self.verdict[0] == "Evicted"
        return _EVICTION_GRACE if evicted else podspec.grace_seconds(pod)

    def _check_deadline(self, pod: Obj) -> None:
        """Counted from the pod's start."""
        limit, started = pod["spec"].get("activeDeadlineSeconds"), pod.get("status", {}).get("startTime")
        if limit is None or not started:
            return
        left = parse(started).timestamp() + limit - time.time()
        if left > 0:
            self._alarm.within(left)
            return
        text = "Pod was active on the node longer than the specified deadline"
        self.verdict = ("DeadlineExceeded", text)
        self._shared.event(pod, "Normal", "DeadlineExceeded", text)

    async def _check_sizes(self, pod: Obj) -> None:
        limits = limits_of(pod)
        if not limits:
            return
        if self._measure_at <= time.monotonic():
            self._measure_at = time.monotonic() + _PERIOD_SECONDS
            usage = await self._shared.cri.volume_usage(pod["metadata"]["uid"], list(limits))
            for name, limit in limits.items():
                if usage.get(name, 0) > quantity.parse(limit):
                    text = f'Usage of EmptyDir volume "{name}" exceeds the limit "{limit}". '
                    self.verdict = ("Evicted", text)
                    self._shared.event(pod, "Warning", "Evicted", text)
                    return
        self._alarm.within(self._measure_at - time.monotonic())


def limits_of(pod: Obj) -> dict[str, str]:
    """Quantities by volume name."""
    found = {
        v["name"]: str((v.get("emptyDir") or {}).get("sizeLimit") or "")
        for v in pod["spec"].get("volumes") or ()
        if not in_memory(v)
    }
    return {name: limit for name, limit in found.items() if limit and quantity.parse(limit) > 0}
