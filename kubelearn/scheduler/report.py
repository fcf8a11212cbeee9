"""What the scheduler says of a pod that it found no node for: its condition, its nomination, and the events."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.event_series import SeriesRecorder
from kubelearn.client.informer import Informer
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH, Client
from kubelearn.client.transport import TransportError
from kubelearn.kit import clock
from kubelearn.scheduler.decide import Decision
from kubelearn.scheduler.eviction import PODS
from kubelearn.scheduler.framework import PodInfo
from kubelearn.trace.cause import Acting, acting

log = logging.getLogger(__name__)


class Reporter:
    """`pods` shows what a pod's status is now: nothing is written twice."""

    def __init__(self, client: Client, recorder: SeriesRecorder, pods: Informer, now: clock.Clock) -> None:
        self._client, self._recorder, self._pods, self._now = client, recorder, pods, now

    async def report(
        self,
        pod: PodInfo,
        cause: int,
        decision: Decision,
        before: asyncio.Task[None] | None,
        reason: str = "Unschedulable",
    ) -> None:
        """The PodScheduled condition, the nomination and the FailedScheduling event."""
        await finished(before)
        if status := self._status(pod, decision, reason):
            patch = {"status": status}
            try:
                with acting(Acting(revision=cause, note=decision.note())):
                    await self._client.patch(
                        PODS, pod.name, pod.namespace, patch, STRATEGIC_MERGE_PATCH, subresource="status"
                    )
            except (ApiError, TransportError) as error:
                log.info("pod %s/%s: condition not written: %s", pod.namespace, pod.name, error)
        await self.tell(pod, cause, "Warning", "FailedScheduling", "Scheduling", decision.message)

    def _status(self, pod: PodInfo, decision: Decision, reason: str) -> Obj:
        """What of the pod's status is to be changed."""
        seen = self._pods.get(pod.namespace, pod.name) or pod.obj
        condition = self._condition(seen, reason, decision.message)
        status: Obj = {"conditions": [condition]} if condition is not None else {}
        if decision.nominate is not None and decision.nominate != nominated_of(seen):
            status["nominatedNodeName"] = decision.nominate or None
        return status

    def _condition(self, seen: Obj, reason: str, message: str) -> Obj | None:
        """PodScheduled as it should be, or None if it is so already."""
        found: list[dict[str, Any]] = (seen.get("status") or {}).get("conditions") or []
        current = next((c for c in found if c.get("type") == "PodScheduled"), {})
        wanted = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
        if generation := seen["metadata"].get("generation"):
            wanted["observedGeneration"] = generation
        if all(current.get(name) == value for name, value in wanted.items()):
            return None
        if current.get("status") != "False":
            wanted["lastTransitionTime"] = clock.rfc3339(self._now())
        return wanted

    async def expect(self, pod: PodInfo, cause: int, node: str) -> None:
        """Shows where the pod is going while its volumes are being bound."""
        patch = {"status": {"nominatedNodeName": node}}
        try:
            with acting(Acting(revision=cause)):
                await self._client.patch(
                    PODS, pod.name, pod.namespace, patch, STRATEGIC_MERGE_PATCH, subresource="status"
                )
        except (ApiError, TransportError) as error:
            log.info("pod %s/%s: nomination not written: %s", pod.namespace, pod.name, error)

    async def tell(self, pod: PodInfo, cause: int, type_: str, reason: str, action: str, note: str) -> None:
        with acting(Acting(revision=cause)):
            await self._recorder.event(pod.obj, type_, reason, action, note)


async def finished(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        await asyncio.wait([task])


def nominated_of(pod: Obj) -> str:
    return (pod.get("status") or {}).get("nominatedNodeName") or ""
