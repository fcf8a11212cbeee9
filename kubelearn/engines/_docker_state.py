"""Every sandbox and container of one cluster as Docker last showed it, kept current by Docker's events.

Kubelets list often, and Docker's own list lacks exit codes and times, so each change is looked at once, here, and told
to who listens afterwards: whoever hears of it finds it in the list.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Literal
from urllib.parse import quote

from kubelearn.api.cri import RUNTIME_DOWN, CriError, RuntimeEvent
from kubelearn.engines import _docker_objects as objects
from kubelearn.engines._docker_api import CLUSTER, ROLE, Docker, DockerError
from kubelearn.engines._docker_objects import CONTAINER_ROLE, SANDBOX_ROLE, Found
from kubelearn.kit.tasks import Tasks

log = logging.getLogger(__name__)

Heard = RuntimeEvent | CriError

_AGAIN_SECONDS = 1.0
_EVENTS: dict[str, Literal["CONTAINER_CREATED", "CONTAINER_STARTED", "CONTAINER_STOPPED", "CONTAINER_DELETED"]] = {
    "create": "CONTAINER_CREATED",
    "start": "CONTAINER_STARTED",
    "die": "CONTAINER_STOPPED",
    "destroy": "CONTAINER_DELETED",
}


class State:
    """`open` it; then `items` is what there is. `changed` waits for the next change of one container."""

    def __init__(self, docker: Docker, cluster: str, tasks: Tasks) -> None:
        self._docker = docker
        self._cluster = cluster
        self._tasks = tasks
        self.items: dict[str, Found] = {}
        self._listeners: dict[str, set[asyncio.Queue[Heard]]] = {}
        self._waiting: dict[str, set[asyncio.Event]] = {}

    async def open(self) -> None:
        """Raises DockerError."""
        writer, events = await self._watch()
        try:
            await self._load()
        except BaseException:
            writer.close()
            raise
        self._tasks.start(self._docker.health.watch(), "health")
        self._tasks.start(self._pass_on_problems(), "problems")
        self._tasks.start(self._follow(writer, events), "events")

    async def _watch(self) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
        filters = {"type": ["container"], "label": [f"{CLUSTER}={self._cluster}"], "event": list(_EVENTS)}
        reader, writer = await self._docker.stream(f"/events?filters={quote(json.dumps(filters))}")
        return writer, reader

    async def _load(self) -> None:
        label = f"{CLUSTER}={self._cluster}"
        listed = await self._docker.call(lambda api: api.containers(all=True, filters={"label": label}))
        mine = [c["Id"] for c in listed if c["Labels"].get(ROLE) in (SANDBOX_ROLE, CONTAINER_ROLE)]
        await asyncio.gather(*(self.look(i) for i in mine))
        for gone in self.items.keys() - set(mine):
            del self.items[gone]

    async def look(self, container_id: str) -> Found | None:
        """Look at it now and remember; None when it is gone."""
        inspected = await self._docker.inspect(container_id)
        if inspected is None:
            self.items.pop(container_id, None)
            return None
        self.items[container_id] = objects.found(inspected)
        return self.items[container_id]

    async def _follow(self, writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        """For ever; what happened while Docker was away is found by looking at everything again."""
        while True:
            try:
                while line := await reader.readline():
                    await self._happened(json.loads(line))
            except (ConnectionError, DockerError) as error:
                log.info("Docker's events: %s", error)
            finally:
                writer.close()
            writer, reader = await self._again()

    async def _again(self) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
        while True:
            await asyncio.sleep(_AGAIN_SECONDS)
            await self._docker.health.well()
            try:
                writer, reader = await self._watch()
            except DockerError as error:
                log.info("Docker's events: %s", error)
                continue
            before = dict(self.items)
            try:
                await self._load()
            except DockerError as error:
                writer.close()
                log.info("Docker's containers: %s", error)
                continue
            for found in before.values():
                self._tell(found, "CONTAINER_STOPPED" if found.id in self.items else "CONTAINER_DELETED")
            return writer, reader

    async def _happened(self, event: dict[str, object]) -> None:
        actor: dict[str, dict[str, str]] = event["Actor"]  # type: ignore[assignment]
        attributes = actor["Attributes"]
        if attributes.get(ROLE) not in (SANDBOX_ROLE, CONTAINER_ROLE):
            return
        container_id, kind = str(event["id"]), _EVENTS[str(event["Action"])]
        before = self.items.get(container_id)
        if kind == "CONTAINER_DELETED":
            self.items.pop(container_id, None)
            found = before
        else:
            found = await self.look(container_id) or before
        if found is not None and (found.role == CONTAINER_ROLE or kind in ("CONTAINER_STOPPED", "CONTAINER_DELETED")):
            self._tell(found, kind)

    # Who wants to know

    def _tell(
        self,
        found: Found,
        kind: Literal["CONTAINER_CREATED", "CONTAINER_STARTED", "CONTAINER_STOPPED", "CONTAINER_DELETED"],
    ) -> None:
        for event in self._waiting.get(found.id, ()):
            event.set()
        for queue in self._listeners.get(found.node, ()):
            queue.put_nowait(RuntimeEvent(kind, found.pod_uid, found.id))

    async def _pass_on_problems(self) -> None:
        """Each node hears that its runtime is down."""
        async for problem in self._docker.health.changes():
            if problem:
                for queues in self._listeners.values():
                    for queue in queues:
                        queue.put_nowait(CriError(RUNTIME_DOWN, problem))

    async def events(self, node: str) -> AsyncIterator[RuntimeEvent]:
        if problem := self._docker.health.problem:
            raise CriError(RUNTIME_DOWN, problem)
        queue: asyncio.Queue[Heard] = asyncio.Queue()
        self._listeners.setdefault(node, set()).add(queue)
        try:
            while True:
                heard = await queue.get()
                if isinstance(heard, CriError):
                    raise heard
                yield heard
        finally:
            self._listeners[node].discard(queue)

    async def until(self, container_id: str, wanted: Callable[[Found], bool]) -> None:
        """Returns when what we know of it is as wanted, or when it is gone."""
        changed = asyncio.Event()
        waiting = self._waiting.setdefault(container_id, set())
        waiting.add(changed)
        try:
            while (found := self.items.get(container_id)) and not wanted(found):
                await changed.wait()
                changed.clear()
        finally:
            waiting.discard(changed)
            if not waiting:
                self._waiting.pop(container_id, None)

    async def stopped(self, container_id: str) -> None:
        await self.until(container_id, lambda found: not found.running)
