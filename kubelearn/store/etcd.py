"""A real etcd as the store: writes are its transactions, reads come from an index that follows its watch.

That is kube-apiserver's design, too (its watch cache). The keys and values are as in any Kubernetes, so that `etcdctl get
/registry/pods/default/web` shows the object. The cause of a write lies beside it, in a key of its own which the same
transaction overwrites; etcd's history keeps every version of it. A write is answered once the watch has shown it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Sequence
from typing import Any

from kubelearn.kit.tasks import Tasks
from kubelearn.store import _etcd_api
from kubelearn.store._base import DEFAULT_HISTORY, IndexedStore
from kubelearn.store._etcd_api import EtcdApi, encode, key_of, key_value, prefix_range
from kubelearn.store.interface import Conflict, KeyValue, StoreError, StoreEvent

log = logging.getLogger(__name__)

#: Ours start with a slash; this one does not.
CAUSE_KEY = "kubelearn/cause"
_RETRY_SECONDS = 0.5
_SHOWN_SECONDS = 10.0


class EtcdStore(IndexedStore):
    """`endpoints` are client URLs of the members; `tls` holds the client's certificate, if they ask for one."""

    def __init__(
        self, endpoints: Sequence[str], history: int = DEFAULT_HISTORY, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(history)
        self._api = EtcdApi(endpoints, tls)
        self._tasks = Tasks("store")
        self._shown = asyncio.Condition()
        self._seen = 0
        self._writing = 0
        self._compacting: asyncio.Task[None] | None = None
        self._refusal: StoreError | None = StoreError("the store is not open")

    # lifecycle

    async def open(self) -> None:
        """Read what etcd has, its history included; raises StoreError when it does not answer."""
        self._api.open()
        try:
            head = _revision(await self._api.call("kv/range", {**_etcd_api.EVERYTHING, "limit": 1}))
            await self._restore(await self._compacted())
            self._refusal = None
            self._tasks.start(self._follow(), "watch")
            await self._until_shown(head)
        except StoreError:
            await self.close()
            raise

    async def _compacted(self) -> int:
        """The revision that etcd has compacted to, 0 if it never did."""
        async for answer in self._api.watch(1):
            if answer.get("canceled"):
                return int(answer.get("compact_revision", 0))
            if not answer.get("created"):
                break
            if _revision(answer) <= 1:
                break  # nothing was ever written, and nothing will follow
        return 0

    async def _restore(self, compacted: int) -> None:
        base: list[KeyValue] = []
        if compacted:
            found = await self._api.call("kv/range", {**prefix_range("/"), "revision": str(compacted)})
            base = [key_value(kv) for kv in found.get("kvs", ())]
        self._index.restore(base, compacted)
        self._seen = max(compacted, 1)

    async def close(self) -> None:
        """Wait for the writes that are on their way; etcd goes on."""
        self._refusal = self._refusal or StoreError("the store is closed; start the cluster again")
        async with self._shown:
            await self._shown.wait_for(lambda: not self._writing)
        await self._tasks.close()
        await self._api.close()
        self._end_watches()

    # following

    async def _follow(self) -> None:
        """Apply etcd's changes as they come, from any member, for as long as the store is open."""
        while True:
            try:
                async for answer in self._api.watch(self._seen + 1):
                    if answer.get("canceled"):
                        await self._start_over(int(answer.get("compact_revision", 0)))
                        break
                    await self._apply(answer.get("events", ()))
            except StoreError as error:
                log.warning("%s", error)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _start_over(self, compacted: int) -> None:
        """Somebody compacted what was not yet read: watchers must list again."""
        log.warning("etcd was compacted to %d before its changes were read", compacted)
        self._end_watches()
        self._index = type(self._index)()
        await self._restore(compacted)

    async def _apply(self, changes: Sequence[dict[str, Any]]) -> None:
        events: list[StoreEvent] = []
        causes = {int(c["kv"]["mod_revision"]): key_value(c["kv"]).value for c in changes if _is_cause(c)}
        heads: dict[str, KeyValue | None] = {}
        for change in changes:
            key, revision = key_of(change["kv"]), int(change["kv"]["mod_revision"])
            self._seen = max(self._seen, revision)
            if not key.startswith("/"):
                continue
            previous = heads[key] if key in heads else self._index.head(key)
            cause = causes.get(revision, b"")
            if change.get("type") == "DELETE":
                if previous is None:
                    continue
                kv = KeyValue(key, previous.value, previous.create_revision, revision, cause)
                events.append(StoreEvent("DELETE", kv, previous))
                heads[key] = None
            else:
                kv = heads[key] = key_value(change["kv"], cause)
                events.append(StoreEvent("PUT", kv, previous))
        self._publish(events)
        if (due := self._compaction_due()) and (self._compacting is None or self._compacting.done()):
            self._compacting = self._tasks.start(self._compact_quietly(due), "compact")
        async with self._shown:
            self._shown.notify_all()

    async def _until_shown(self, revision: int) -> None:
        try:
            async with asyncio.timeout(_SHOWN_SECONDS), self._shown:
                await self._shown.wait_for(lambda: self._seen >= revision)
        except TimeoutError as error:
            raise StoreError(f"etcd's watch has not shown revision {revision} in {_SHOWN_SECONDS:.0f} s") from error

    # writes

    async def put(self, key: str, value: bytes, *, expect: int | None = None, cause: bytes = b"") -> KeyValue:
        compare = [] if expect is None else [_compare(key, "EQUAL", expect)]
        event = await self._write(key, compare, {"request_put": {"key": encode(key), "value": encode(value)}}, cause)
        if event is None:
            raise StoreError(f"etcd refused an unconditional write of {key}")
        return event.kv

    async def delete(self, key: str, *, expect: int | None = None, cause: bytes = b"") -> KeyValue | None:
        compare = [_compare(key, "GREATER", 0)] if expect is None else [_compare(key, "EQUAL", expect)]
        if expect == 0:
            compare.append(_compare(key, "GREATER", 0))  # nothing to delete is no conflict with "not there"
        try:
            event = await self._write(key, compare, {"request_delete_range": {"key": encode(key)}}, cause)
        except Conflict as conflict:
            if conflict.current is None and not expect:
                return None
            raise
        return event.kv if event else None

    async def _write(
        self, key: str, compare: list[dict[str, str]], operation: dict[str, Any], cause: bytes
    ) -> StoreEvent | None:
        if self._refusal:
            raise StoreError(str(self._refusal))
        self._writing += 1
        try:
            beside = {"request_put": {"key": encode(CAUSE_KEY), "value": encode(cause)}}
            look = {"request_range": {"key": encode(key)}}
            answer = await self._api.call(
                "kv/txn", {"compare": compare, "success": [operation, beside], "failure": [look]}
            )
            if not answer.get("succeeded"):
                raise Conflict(await self._current(answer))
            revision = _revision(answer)
            await self._until_shown(revision)
            return next((event for event in self._index.log(revision, 1) if event.revision == revision), None)
        finally:
            self._writing -= 1
            async with self._shown:
                self._shown.notify_all()

    async def _current(self, answer: dict[str, Any]) -> KeyValue | None:
        """What stands in a write's way, with its cause, which the index knows."""
        found = answer["responses"][0]["response_range"].get("kvs") or []
        if not found:
            return None
        kv = key_value(found[0])
        with contextlib.suppress(StoreError):
            await self._until_shown(kv.mod_revision)
        known = self._index.head(kv.key)
        return known if known is not None and known.mod_revision == kv.mod_revision else kv

    async def compact(self, revision: int) -> None:
        self._index.check_compaction(revision)
        await self._api.call("kv/compaction", {"revision": str(revision), "physical": True})
        self._index.compact(revision)

    async def _compact_quietly(self, revision: int) -> None:
        """The history stays when it fails; later writes try again."""
        try:
            await self.compact(revision)
        except StoreError as error:
            log.warning("compaction to %d: %s", revision, error)


def _revision(answer: dict[str, Any]) -> int:
    return int(answer["header"]["revision"])


def _compare(key: str, result: str, revision: int) -> dict[str, str]:
    return {"target": "MOD", "result": result, "key": encode(key), "mod_revision": str(revision)}


def _is_cause(change: dict[str, Any]) -> bool:
    return key_of(change["kv"]) == CAUSE_KEY
