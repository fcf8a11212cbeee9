"""Events as the events.k8s.io API has them: a moment and, once the same happens again, a series.

kube-scheduler writes these; the other components still write `count` and `lastTimestamp` (`client.events`). What makes
two events the same is everything but their note, so a series keeps its first note. Source: KEP-383 and client-go
tools/events/event_broadcaster.go.
"""

from __future__ import annotations

import logging
import socket
import time
from dataclasses import dataclass

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.events import EVENTS, Recent, reference
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH, Client
from kubelearn.client.transport import TransportError
from kubelearn.kit import clock

log = logging.getLogger(__name__)

#: A series ends when it was not continued for this long, and is written anew at most so often.
_FINISH_SECONDS = 360.0
_REFRESH_SECONDS = 1800.0


@dataclass(slots=True)
class _Series:
    name: str
    count: int
    seen: float
    written: float


class SeriesRecorder:
    """One per component; `component` is the events' reportingComponent (`default-scheduler`)."""

    def __init__(self, client: Client, component: str, *, now: clock.Clock = clock.utc_now) -> None:
        self._client = client
        self._component = component
        self._instance = f"{component}-{socket.gethostname()}"
        self._now = now
        self._series: Recent[_Series] = Recent()

    async def event(
        self, obj: Obj, type_: str, reason: str, action: str, note: str, *, related: Obj | None = None
    ) -> None:
        """Tell that `action` on `obj` (which needs apiVersion and kind) had the outcome `reason`, because of `related`.
        An event that cannot be written is logged and let go."""
        regarding = reference(obj)
        key = (type_, action, reason, *(str(regarding.get(k, "")) for k in ("kind", "namespace", "name", "uid")))
        try:
            await self._write(key, regarding, type_, reason, action, note, related)
        except (ApiError, TransportError) as error:
            log.info("event not written: %s %s: %s", reason, note, error)

    async def _write(
        self,
        key: tuple[str, ...],
        regarding: Obj,
        type_: str,
        reason: str,
        action: str,
        note: str,
        related: Obj | None,
    ) -> None:
        at, now = time.monotonic(), clock.rfc3339_micro(self._now())
        namespace = regarding.get("namespace") or "default"
        series = self._series.get(key)
        if series is not None and at - series.seen < _FINISH_SECONDS:
            series.count += 1
            series.seen = at
            if series.count > 2 and at - series.written < _REFRESH_SECONDS:
                return
            patch = {"series": {"count": series.count, "lastObservedTime": now}}
            try:
                await self._client.patch(EVENTS, series.name, namespace, patch, STRATEGIC_MERGE_PATCH)
            except ApiError as error:
                if error.code != 404:
                    raise
            else:
                series.written = at
                return
        name = f"{regarding['name']}.{time.time_ns():x}"
        self._series.put(key, _Series(name, 1, at, at))
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": regarding,
            "reason": reason,
            "message": note[:1024],
            "source": {},
            "eventTime": now,
            "type": type_,
            "action": action,
            "reportingComponent": self._component,
            "reportingInstance": self._instance,
            **({"related": reference(related)} if related is not None else {}),
        }
        await self._client.create(EVENTS, event, namespace)
