"""Makes room on a node: what `preemption` has decided on is done to the victims through the API.

The pod that the room is for is held in the queue meanwhile; the last victim is deleted only after it was let go, so
that the deletion, once it shows, finds it waiting. Source: kube-scheduler's framework/preemption/executor.go.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.event_series import SeriesRecorder
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH, Client
from kubelearn.client.transport import TransportError
from kubelearn.kit import clock
from kubelearn.scheduler.framework import PodInfo
from kubelearn.scheduler.preemption import CONDITION, REASON, Preemption

log = logging.getLogger(__name__)
PODS = Resource("", "v1", "Pod", "pods", "pod", True)


class Evictor:
    def __init__(self, client: Client, recorder: SeriesRecorder, now: clock.Clock) -> None:
        self._client, self._recorder, self._now = client, recorder, now

    async def evict(self, pod: PodInfo, found: Preemption, before_last: Callable[[], None]) -> None:
        """Raises ApiError and TransportError; what was done by then stays done."""
        for victim in found.victims[:-1]:
            await self._evict(pod, victim, found.node)
        before_last()
        await self._evict(pod, found.victims[-1], found.node)

    async def _evict(self, pod: PodInfo, victim: PodInfo, node: str) -> None:
        if victim.terminating:
            return
        try:
            patch = {"status": {"conditions": [self._condition(pod, victim)]}}
            await self._client.patch(
                PODS, victim.name, victim.namespace, patch, STRATEGIC_MERGE_PATCH, subresource="status"
            )
            options = {"preconditions": {"uid": victim.uid}}
            await self._client.delete(PODS, victim.name, victim.namespace, options=options)
        except ApiError as error:
            if error.code != 404:
                raise
            return
        note = f"Preempted by pod {pod.uid} on node {node}"
        await self._recorder.event(victim.obj, "Normal", "Preempted", "Preempting", note, related=pod.obj)

    def _condition(self, pod: PodInfo, victim: PodInfo) -> Obj:
        scheduler = pod.spec.get("schedulerName") or "default-scheduler"
        condition = {
            "type": CONDITION,
            "status": "True",
            "reason": REASON,
            "message": f"{scheduler}: preempting to accommodate a higher priority pod",
            "lastTransitionTime": clock.rfc3339(self._now()),
        }
        if generation := victim.obj["metadata"].get("generation"):
            condition["observedGeneration"] = generation
        return condition

    async def withdraw(self, pods: list[PodInfo]) -> None:
        """These may not fit any more where they were nominated to: they look for a node anew."""
        for pod in pods:
            patch = {"status": {"nominatedNodeName": None}}
            try:
                await self._client.patch(
                    PODS, pod.name, pod.namespace, patch, STRATEGIC_MERGE_PATCH, subresource="status"
                )
            except (ApiError, TransportError) as error:
                log.info("pod %s/%s: nomination not withdrawn: %s", pod.namespace, pod.name, error)
