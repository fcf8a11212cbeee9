"""Watches: from the store's events to lines of JSON, each event encoded once for all watchers."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TYPE_CHECKING

import orjson

from kubelearn.api import errors
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj
from kubelearn.apiserver import codec, keys, listversions, selection
from kubelearn.apiserver.metrics import Labels
from kubelearn.client.transport import Response
from kubelearn.store.interface import Compacted, FutureRevision, KeyValue, StoreEvent, Watch
from kubelearn.trace.gate import Pending
from kubelearn.trace.held import Stream

if TYPE_CHECKING:
    from kubelearn.apiserver.call import Call
    from kubelearn.apiserver.server import ApiServer

_BOOKMARK_SECONDS = 60.0
#: Watchers read the log at about the same time.
_ENCODED = 256
Shape = Callable[[Obj], Obj] | None


class EventCache:
    """The encoded line of an event, shared between watchers: by revision and type."""

    def __init__(self) -> None:
        self._lines: OrderedDict[tuple[int, str], bytes] = OrderedDict()

    def line(self, kind: str, kv: KeyValue) -> bytes:
        key = (kv.mod_revision, kind)
        line = self._lines.get(key)
        if line is None:
            line = b'{"type":"%s","object":%s}\n' % (kind.encode(), codec.splice(kv))
            self._lines[key] = line
            if len(self._lines) > _ENCODED:
                self._lines.popitem(last=False)
        return line


def event_line(kind: str, obj: Obj) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), orjson.dumps(obj))


async def watch(call: Call, kind: Kind, namespace: str, name: str, shape: Shape) -> Response:
    """A Response that streams. `shape` turns each object into a Table or metadata; None leaves it whole."""
    request = call.request
    chosen = selection.of(request, kind)
    watcher = _Watcher(call.server, kind, namespace, name, chosen, shape)
    listversions.check_watch(request)
    start, asked = listversions.revision(request), request.param("sendInitialEvents")
    if asked == "true":
        listversions.not_older(call.server, start)
    seconds = selection.number(request, "timeoutSeconds") or 1800 + random.random() * 1800
    bookmarks = request.param("allowWatchBookmarks") in ("true", "1")
    initial = asked == "true" or (not start and asked != "false")
    first = None if initial else start or call.server.store.revision
    stream = watcher.lines(first, seconds, bookmarks, bookmarks and asked == "true", call.actor)
    return Response(200, {"content-type": "application/json"}, stream=stream)


class _Watcher:
    def __init__(
        self, server: ApiServer, kind: Kind, namespace: str, name: str, chosen: selection.Selection, shape: Shape
    ) -> None:
        self._server, self._kind, self._chosen, self._shape = server, kind, chosen, shape
        root = keys.prefix(kind.resource, namespace)
        self._prefix = root + name if name else root
        self._exact = bool(name)
        scope = "resource" if name else "namespace" if namespace else "cluster"
        of = kind.resource
        self._labels: Labels = ("WATCH", of.group, of.version, of.plural, "", scope)

    async def lines(
        self, start: int | None, seconds: float, bookmarks: bool, mark_initial: bool, actor: str
    ) -> AsyncIterator[bytes]:
        """`start` None begins with what is there now (or, for a held component, at what it was shown)."""
        server = self._server
        if start is None:
            shown = server.gate.shown_revision(actor) if actor else None
            found = await server.store.range(self._prefix, revision=shown or 0)
            for kv in found.items:
                if (not self._exact or kv.key == self._prefix) and self._matches(kv):
                    yield self._line("ADDED", kv)
            start = found.revision
            if mark_initial:
                yield self._bookmark(start, initial=True)
        try:
            source = server.store.watch(self._prefix, start + 1)
        except Compacted as error:
            yield event_line(
                "ERROR", errors.expired(f"too old resource version: {start} ({error.oldest - 1})").status()
            )
            return
        except FutureRevision as error:
            # A store that began anew: the watcher must list again.
            text = f"too large resource version: {start}, current: {error.current}"
            yield event_line("ERROR", errors.expired(text).status())
            return
        held = Stream(server.gate, actor, source, self._pending) if actor else None
        events = _Events(source, held, start)
        server.metrics.watches[self._labels] += 1
        try:
            with server.custom.watching(self._kind, source.cancel):
                async with contextlib.aclosing(self._timed(events, seconds, bookmarks)) as lines:
                    async for line in lines:
                        yield line
        finally:
            server.metrics.watches[self._labels] -= 1
            source.cancel()
            if held is not None:
                await held.aclose()

    async def _timed(self, events: _Events, seconds: float, bookmarks: bool) -> AsyncGenerator[bytes, None]:
        loop = asyncio.get_running_loop()
        end, bookmark_at = loop.time() + seconds, loop.time() + _BOOKMARK_SECONDS
        sent, told = self._server.metrics.watch_events, (self._kind.resource.group, self._kind.resource.kind)
        try:
            while (now := loop.time()) < end:
                if now >= bookmark_at:
                    bookmark_at = now + _BOOKMARK_SECONDS
                    if bookmarks:
                        yield self._bookmark(events.revision)
                try:
                    async with asyncio.timeout_at(min(end, bookmark_at)):
                        event = await events.next()
                except TimeoutError:
                    continue
                line = self._translate(event)
                if line is not None:
                    sent[told] += 1
                    yield line
        except StopAsyncIteration:
            return
        except Compacted:
            text = "The resourceVersion for the provided watch is too old."
            yield event_line("ERROR", errors.expired(text).status())
        else:
            if bookmarks:
                yield self._bookmark(events.revision)  # from here the next watch goes on

    def _pending(self, event: StoreEvent) -> Pending | None:
        resource, namespace, name = keys.parse(event.kv.key)
        kind = "DELETED" if event.type == "DELETE" else "MODIFIED" if event.previous else "ADDED"
        return Pending(event.revision, kind, resource, namespace, name)

    def _matches(self, kv: KeyValue) -> bool:
        return self._chosen.everything or self._chosen.matches(codec.decode(kv))

    def _translate(self, event: StoreEvent) -> bytes | None:
        """What the event means for this watcher: an object that leaves the selection is DELETED to it."""
        if self._exact and event.kv.key != self._prefix:
            return None
        if self._chosen.everything:
            before, after = event.previous is not None, event.type == "PUT"
        else:
            before = event.previous is not None and self._matches(event.previous)
            after = event.type == "PUT" and self._matches(event.kv)
        if after:
            return self._line("MODIFIED" if before else "ADDED", event.kv)
        return self._line("DELETED", event.kv) if before else None

    def _line(self, kind: str, kv: KeyValue) -> bytes:
        if self._shape is None:
            return self._server.event_cache.line(kind, kv)
        return event_line(kind, self._shape(codec.decode(kv)))

    def _bookmark(self, revision: int, *, initial: bool = False) -> bytes:
        meta: Obj = {"resourceVersion": str(revision), "creationTimestamp": None}
        if initial:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        resource = self._kind.resource
        obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        return event_line("BOOKMARK", self._shape(obj) if self._shape else obj)


class _Events:
    """A watch, held or not, and how far it has come."""

    def __init__(self, source: Watch, held: Stream[StoreEvent] | None, start: int) -> None:
        self._source, self._held, self._given = source, held, start
        self._iterator: AsyncIterator[StoreEvent] = held or aiter(source)

    async def next(self) -> StoreEvent:
        event = await anext(self._iterator)
        self._given = event.revision
        return event

    @property
    def revision(self) -> int:
        """Up to here all has been given: in a quiet collection, that of the others."""
        if self._held is not None and self._held.reading_ahead:
            return self._given
        return max(self._given, self._source.progress)
