"""Record what a component did as core/v1 Events, correlated as client-go does.

The same event again raises `count`; many that differ only in their message become one "combined from similar
events"; and one source may not flood one object. An event that cannot be written is logged and let go: it must never
fail the work it tells of. Source: client-go tools/record/events_cache.go.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH, Client
from kubelearn.client.transport import TransportError
from kubelearn.kit import clock

log = logging.getLogger(__name__)

EVENTS = Resource("", "v1", "Event", "events", "event", True)

_SIMILAR_LIMIT = 10
_SIMILAR_SECONDS = 600.0
_BURST = 25.0
_REFILL_PER_SECOND = 1 / 300
_CACHE_SIZE = 4096

V = TypeVar("V")


class Recent(Generic[V]):
    """A mapping that forgets what was used longest ago."""

    def __init__(self) -> None:
        self._items: OrderedDict[tuple[str, ...], V] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> V | None:
        if key in self._items:
            self._items.move_to_end(key)
        return self._items.get(key)

    def put(self, key: tuple[str, ...], value: V) -> None:
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > _CACHE_SIZE:
            self._items.popitem(last=False)

    def drop(self, key: tuple[str, ...]) -> None:
        self._items.pop(key, None)


@dataclass(slots=True)
class _Similar:
    messages: set[str] = field(default_factory=set)
    last: float = 0.0


@dataclass(slots=True)
class _Written:
    name: str
    count: int


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class EventRecorder:
    """One per component; `component` is the event's source (`deployment-controller`, `kubelet`), `host` its node."""

    def __init__(self, client: Client, component: str, host: str = "", *, now: clock.Clock = clock.utc_now) -> None:
        self._client = client
        self._component = component
        self._host = host
        self._now = now
        self._similar: Recent[_Similar] = Recent()
        self._written: Recent[_Written] = Recent()
        self._buckets: Recent[_Bucket] = Recent()

    async def event(self, obj: Obj, type_: str, reason: str, message: str, *, field_path: str = "") -> None:
        """Tell that `reason` happened to `obj` (which needs apiVersion and kind). `type_`: Normal or Warning.
        `field_path` names a part of it, such as `spec.containers{web}`."""
        involved = reference(obj, field_path)
        about = tuple(str(involved.get(k, "")) for k in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath"))
        if not self._admit(about):
            log.info("event dropped: too many about %s: %s %s", "/".join(about[:3]), reason, message)
            return
        similar_key = (*about, type_, reason)
        message, key = self._aggregate(similar_key, message)
        try:
            await self._write(key, involved, type_, reason, message)
        except (ApiError, TransportError) as error:
            log.info("event not written: %s %s: %s", reason, message, error)

    def _admit(self, about: tuple[str, ...]) -> bool:
        at = time.monotonic()
        bucket = self._buckets.get(about)
        tokens = _BURST if bucket is None else min(_BURST, bucket.tokens + (at - bucket.at) * _REFILL_PER_SECOND)
        self._buckets.put(about, _Bucket(max(tokens - 1, 0), at))
        return tokens >= 1

    def _aggregate(self, key: tuple[str, ...], message: str) -> tuple[str, tuple[str, ...]]:
        """The message to write and the key under which repetitions of it are counted."""
        at = time.monotonic()
        similar = self._similar.get(key)
        if similar is None or at - similar.last > _SIMILAR_SECONDS:
            similar = _Similar()
        similar.messages.add(message)
        similar.last = at
        self._similar.put(key, similar)
        if len(similar.messages) < _SIMILAR_LIMIT:
            return message, (*key, message)
        similar.messages.pop()
        return f"(combined from similar events): {message}", key

    async def _write(self, key: tuple[str, ...], involved: Obj, type_: str, reason: str, message: str) -> None:
        now = self._now()
        namespace = involved.get("namespace") or "default"
        written = self._written.get(key)
        if written is not None:
            written.count += 1
            patch = {"count": written.count, "lastTimestamp": clock.rfc3339(now), "message": message}
            try:
                await self._client.patch(EVENTS, written.name, namespace, patch, STRATEGIC_MERGE_PATCH)
            except ApiError as error:
                if error.code != 404:
                    raise
                self._written.drop(key)  # expired meanwhile: write it anew
            else:
                return
        name = f"{involved['name']}.{time.time_ns():x}"
        self._written.put(key, _Written(name, 1))
        event = self._object(name, namespace, involved, type_, reason, message, now)
        await self._client.create(EVENTS, event, namespace)

    def _object(
        self,
        name: str,
        namespace: str,
        involved: Obj,
        type_: str,
        reason: str,
        message: str,
        now: datetime,
    ) -> Obj:
        at = clock.rfc3339(now)
        source = {"component": self._component} | ({"host": self._host} if self._host else {})
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved,
            "reason": reason,
            "message": message[:1024],
            "source": source,
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
            "type": type_,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }


def reference(obj: Obj, field_path: str = "") -> Obj:
    """An ObjectReference, its fields in the order of the API."""
    meta = obj["metadata"]
    found = {
        "kind": obj["kind"],
        "namespace": meta.get("namespace"),
        "name": meta["name"],
        "uid": meta.get("uid"),
        "apiVersion": obj["apiVersion"],
        "resourceVersion": meta.get("resourceVersion"),
        "fieldPath": field_path,
    }
    return {key: value for key, value in found.items() if value}
