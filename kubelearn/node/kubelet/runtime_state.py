"""What the runtime has of each pod, kept current by its events: the kubelet's view of the real world.

`watch` never polls: it lists once, then looks at what an event names, and lists again when the stream broke.
`problem` says why the runtime cannot be used, empty while it can.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from kubelearn.api.cri import RUNTIME_DOWN, Container, CriError, RuntimeEvent, RuntimeService, Sandbox

log = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5
_MAX_RETRY_SECONDS = 4.0


@dataclass(slots=True)
class PodRuntime:
    """One pod's sandboxes and containers, in no order."""

    sandboxes: list[Sandbox] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)

    def sandbox(self) -> Sandbox | None:
        """The newest that is ready."""
        ready = [s for s in self.sandboxes if s.state == "READY"]
        return max(ready, key=lambda s: (s.attempt, s.created_at), default=None)

    def of(self, name: str) -> list[Container]:
        """This container's lives, the newest first."""
        mine = [c for c in self.containers if c.name == name]
        return sorted(mine, key=lambda c: (c.attempt, c.created_at), reverse=True)

    def latest(self, name: str) -> Container | None:
        return next(iter(self.of(name)), None)

    def running(self) -> list[Container]:
        return [c for c in self.containers if c.state == "RUNNING"]


class RuntimeState:
    """`changed(uid)` is called for each pod whose part of it changed, `health_changed` when `problem` did."""

    def __init__(
        self, cri: RuntimeService, changed: Callable[[str], None], health_changed: Callable[[], None] = lambda: None
    ) -> None:
        self._cri = cri
        self._changed = changed
        self._health_changed = health_changed
        self.problem = ""
        self._sandboxes: dict[str, Sandbox] = {}
        self._containers: dict[str, Container] = {}
        self.listed = asyncio.Event()

    def pod(self, uid: str) -> PodRuntime:
        return PodRuntime(
            [s for s in self._sandboxes.values() if s.pod_uid == uid],
            [c for c in self._containers.values() if c.pod_uid == uid],
        )

    def uids(self) -> dict[str, Sandbox]:
        """Every pod that the runtime knows, with one of its sandboxes."""
        return {s.pod_uid: s for s in self._sandboxes.values()}

    def put_sandbox(self, sandbox: Sandbox) -> None:
        self._sandboxes[sandbox.id] = sandbox

    async def refresh(self, container_id: str) -> None:
        """Look at one container again; one that is gone is forgotten."""
        try:
            found = await self._cri.container_status(container_id)
        except CriError as error:
            if error.reason != "NotFound":
                raise
            self.forget(container_id)
            return
        self._containers[container_id] = found

    def forget(self, some_id: str) -> None:
        self._containers.pop(some_id, None)
        if self._sandboxes.pop(some_id, None):
            for container in [c for c in self._containers.values() if c.sandbox_id == some_id]:
                del self._containers[container.id]

    async def watch(self) -> None:
        """Runs for ever."""
        delay = _RETRY_SECONDS
        while True:
            try:
                async for event in self._cri.events():
                    if event.type == "LISTENING":
                        await self._list()
                        self._is_well()
                        delay = _RETRY_SECONDS
                    else:
                        await self._take(event)
            except CriError as error:
                self._is_ill(error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _MAX_RETRY_SECONDS)

    def _is_well(self) -> None:
        if self.problem:
            log.info("the container runtime is back")
            self.problem = ""
            self._health_changed()

    def _is_ill(self, error: CriError) -> None:
        """When the gateway itself is out of reach, nothing is known of the runtime, and nobody could be told."""
        if error.reason != RUNTIME_DOWN:
            log.info("the container runtime's events ended: %s", error)
        elif not self.problem:
            log.warning("the container runtime is down: %s", error)
            self.problem = error.message
            self._health_changed()

    async def _list(self) -> None:
        sandboxes = {s.id: s for s in await self._cri.list_pod_sandboxes()}
        containers = {c.id: c for c in await self._cri.list_containers()}
        different = {
            item.pod_uid
            for old, new in ((self._sandboxes, sandboxes), (self._containers, containers))
            for some_id in old.keys() | new.keys()
            if (item := new.get(some_id) or old.get(some_id)) and old.get(some_id) != new.get(some_id)
        }
        self._sandboxes, self._containers = sandboxes, containers
        self.listed.set()
        for uid in different:
            self._changed(uid)

    async def _take(self, event: RuntimeEvent) -> None:
        some_id = event.container_id
        before = self._containers.get(some_id), self._sandboxes.get(some_id)
        if event.type == "CONTAINER_DELETED":
            self.forget(some_id)
        elif some_id in self._sandboxes:
            self._sandboxes |= {s.id: s for s in await self._cri.list_pod_sandboxes() if s.id == some_id}
        elif before[0] is None or event.type != "CONTAINER_CREATED":
            await self.refresh(some_id)
        if before != (self._containers.get(some_id), self._sandboxes.get(some_id)):
            self._changed(event.pod_uid)
