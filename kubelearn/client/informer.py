"""A local, current copy of a resource's objects: list once, then follow the watch.

Handlers are called on the event loop in revision order and must not block; a controller's handler adds a key to its
queue. `acting_on` makes the cause for work that an object's change brings about.

Who writes what it also watches tells the informer with `written` and `removed`: its next look then shows the write,
however late (or held by the gate) the watch event comes. That is what client-go's expectations are for; an overlay
serves every controller alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterable

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.rest import Client, WatchEvent, typed
from kubelearn.client.transport import TransportError
from kubelearn.kit.tasks import Tasks
from kubelearn.trace.cause import Acting

log = logging.getLogger(__name__)

#: (ADDED | MODIFIED | DELETED, the object before or None, the object now; for DELETED its last state)
Handler = Callable[[str, Obj | None, Obj], None]
Indexer = Callable[[Obj], Iterable[str]]

_FIRST_DELAY = 0.05
_MAX_DELAY = 5.0


def acting_on(obj: Obj) -> Acting:
    """The cause named by whoever acts because `obj` changed: its revision."""
    version = obj.get("metadata", {}).get("resourceVersion", "")
    return Acting(revision=int(version) if version.isdigit() else 0)


class Informer:
    """`start` it, await `synced`, then read. Objects are shared: do not change what you are given."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        *,
        metadata_only: bool = False,
    ) -> None:
        self.resource = resource
        self._metadata_only = metadata_only
        self._client = client
        self._namespace = namespace
        self._labels = label_selector
        self._fields = field_selector
        self._objects: dict[tuple[str, str], Obj] = {}
        self._handlers: list[Handler] = []
        self._indexers: dict[str, Indexer] = {}
        self._indices: dict[str, dict[str, dict[tuple[str, str], Obj]]] = {}
        self._ahead: dict[tuple[str, str], Obj | None] = {}  # own writes not yet watched: what was there before
        self._gone: dict[str, Obj] = {}  # own deletions not yet watched, by uid
        self._synced = asyncio.Event()
        self._version = ""
        self._delay = _FIRST_DELAY

    @property
    def resource_version(self) -> str:
        """The newest version seen, bookmarks included."""
        return self._version

    def start(self, tasks: Tasks) -> asyncio.Task[None]:
        """The task goes on until it is cancelled, or `tasks` are closed."""
        return tasks.start(self._run(), f"informer {self.resource.group_resource}")

    async def synced(self) -> None:
        """Returns when the first list has been taken in and its handlers have run."""
        await self._synced.wait()

    @property
    def has_synced(self) -> bool:
        return self._synced.is_set()

    def get(self, namespace: str, name: str) -> Obj | None:
        return self._objects.get((namespace, name))

    def items(self, namespace: str = "") -> list[Obj]:
        if not namespace:
            return list(self._objects.values())
        return [obj for (space, _), obj in self._objects.items() if space == namespace]

    def add_handler(self, handler: Handler) -> None:
        """A handler added late is shown what is there already."""
        self._handlers.append(handler)
        for obj in list(self._objects.values()):
            handler("ADDED", None, obj)

    def add_index(self, name: str, indexer: Indexer) -> None:
        """Look objects up by the values that `indexer` gives for them, with `by_index`."""
        self._indexers[name] = indexer
        self._indices[name] = {}
        for key, obj in self._objects.items():
            self._index(name, key, obj)

    def by_index(self, name: str, value: str) -> list[Obj]:
        return list(self._indices[name].get(value, {}).values())

    def _index(self, name: str, key: tuple[str, str], obj: Obj) -> None:
        for value in self._indexers[name](obj):
            self._indices[name].setdefault(value, {})[key] = obj

    def _unindex(self, name: str, key: tuple[str, str], obj: Obj) -> None:
        index = self._indices[name]
        for value in self._indexers[name](obj):
            entry = index.get(value)
            if entry is not None:
                entry.pop(key, None)
                if not entry:
                    del index[value]

    def _put(self, key: tuple[str, str], new: Obj | None) -> Obj | None:
        """Replace what is kept under `key` (None: remove it); returns what was there."""
        old = self._objects.get(key)
        if old is not None:
            for name in self._indexers:
                self._unindex(name, key, old)
        if new is None:
            self._objects.pop(key, None)
            return old
        self._objects[key] = new
        for name in self._indexers:
            self._index(name, key, new)
        return old

    async def _run(self) -> None:
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except ApiError as error:
                self._version = ""
                if error.code == 410:
                    log.info("%s: %s; listing again", self.resource.group_resource, error)
                    await asyncio.sleep(_FIRST_DELAY)
                else:
                    await self._wait(error)
            except TransportError as error:
                await self._wait(error)

    async def _wait(self, error: Exception) -> None:
        log.warning("%s: %s; trying again in %.2gs", self.resource.group_resource, error, self._delay)
        await asyncio.sleep(self._delay * random.uniform(0.8, 1.2))
        self._delay = min(self._delay * 2, _MAX_DELAY)

    async def _list(self) -> None:
        answer = await self._client.list(
            self.resource,
            self._namespace,
            label_selector=self._labels,
            field_selector=self._fields,
            metadata_only=self._metadata_only,
        )
        self._version = answer["metadata"].get("resourceVersion", "")
        found = {_key(obj): obj for obj in answer["items"]}
        for key in [key for key in self._objects if key not in found]:
            if key not in self._ahead or _revision(self._objects[key]) <= _revision(answer):
                self._take(WatchEvent("DELETED", self._objects[key]))
        uids = {obj["metadata"].get("uid") for obj in found.values()}
        for obj in [obj for uid, obj in self._gone.items() if uid not in uids]:
            self._take(WatchEvent("DELETED", obj))
        for key, obj in found.items():
            old = self._objects.get(key)
            if old is None or key in self._ahead or _version(old) != _version(obj):
                self._take(WatchEvent("ADDED", obj))
        self._synced.set()

    async def _watch(self) -> None:
        events = self._client.watch(
            self.resource,
            self._namespace,
            resource_version=self._version,
            label_selector=self._labels,
            field_selector=self._fields,
            metadata_only=self._metadata_only,
            allowWatchBookmarks=True,
            timeoutSeconds=random.randint(300, 600),
        )
        started, seen = time.monotonic(), False
        async with contextlib.aclosing(events) as stream:
            async for event in stream:
                self._delay, seen = _FIRST_DELAY, True
                self._version = _version(event.object) or self._version
                if event.type != "BOOKMARK":
                    self._take(event)
        if not seen and time.monotonic() - started < 1:
            raise TransportError("the server ended the watch at once")

    def written(self, obj: Obj) -> None:
        """`obj` is the server's answer to an own write: show it from now on."""
        new = typed(self.resource, obj)
        key = _key(new)
        old = self._objects.get(key)
        if old is not None and _revision(old) >= _revision(new):
            return
        self._ahead.setdefault(key, old)
        self._put(key, new)

    def removed(self, obj: Obj) -> None:
        """An own request deleted `obj` for good: show it no more."""
        uid = obj["metadata"].get("uid", "")
        current = self._objects.get(_key(obj))
        if current is not None and current["metadata"].get("uid") == uid:
            self._gone[uid] = current
            self._ahead.pop(_key(obj), None)
            self._put(_key(obj), None)

    def _take(self, event: WatchEvent) -> None:
        obj = typed(self.resource, event.object)
        key, uid = _key(obj), obj["metadata"].get("uid", "")
        if event.type == "DELETED":
            self._client.pool.forget(obj, metadata_only=self._metadata_only)
            old = self._gone.pop(uid, None)
            if old is None:
                self._ahead.pop(key, None)
                old = self._put(key, None)
            self._tell("DELETED", old, obj)
            return
        if uid in self._gone:
            return
        obj = self._client.pool.one(obj, metadata_only=self._metadata_only)
        old = self._objects.get(key)
        if key in self._ahead:
            if old is not None and _revision(obj) < _revision(old):
                self._tell("MODIFIED", old, old)
                return
            old = self._ahead.pop(key)
        self._put(key, obj)
        self._tell("ADDED" if old is None else "MODIFIED", old, obj)

    def _tell(self, event_type: str, old: Obj | None, new: Obj) -> None:
        for handler in self._handlers:
            try:
                handler(event_type, old, new)
            except Exception:
                # one handler's fault must not stop the others' view of the cluster
                log.exception("%s: a handler failed on %s", self.resource.group_resource, _key(new))


def _key(obj: Obj) -> tuple[str, str]:
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def _version(obj: Obj) -> str:
    version: str = obj.get("metadata", {}).get("resourceVersion", "")
    return version


def _revision(obj: Obj) -> int:
    """Versions are compared as numbers; one that is none counts as oldest."""
    version = _version(obj)
    return int(version) if version.isdigit() else 0
