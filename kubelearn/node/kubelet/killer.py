"""End containers as the kubelet does: event, preStop hook, SIGTERM, grace period, SIGKILL. And run postStart hooks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from kubelearn.api.cri import Container, CriError
from kubelearn.api.resource import Obj
from kubelearn.node.kubelet.shared import Shared

log = logging.getLogger(__name__)

_LEAST_GRACE = 2
_POST_START_SECONDS = 24 * 3600.0
_RETRY_SECONDS = 1.0


class Killer:
    """One pod's. `done()` is called when a container has ended."""

    def __init__(self, shared: Shared, done: Callable[[], None], forget: Callable[[str], None]) -> None:
        self._shared = shared
        self._done = done
        self._forget = forget
        self._ending: dict[str, int] = {}
        self._in_hook: set[str] = set()

    def busy(self) -> bool:
        return bool(self._ending)

    def is_ending(self, container_id: str) -> bool:
        return container_id in self._ending

    def in_hook(self, container_id: str) -> bool:
        """Its postStart hook has not ended yet."""
        return container_id in self._in_hook

    def kill(self, pod: Obj, spec: Obj, container: Container, grace: int, why: str = "") -> None:
        """Begin; asking again is harmless, and a shorter grace period hurries up what has begun."""
        begun = self._ending.get(container.id)
        if begun is not None:
            if grace < begun:
                self._ending[container.id] = grace
                self._shared.tasks.start(self._stop(container, grace), f"kill/{container.id[:12]}/sooner")
            return
        self._ending[container.id] = grace
        self._forget(container.id)
        message = why or f"Stopping container {container.name}"
        self._shared.event(pod, "Normal", "Killing", message, container.name)
        self._shared.tasks.start(self._end(pod, spec, container, grace), f"kill/{container.id[:12]}")

    async def _end(self, pod: Obj, spec: Obj, container: Container, grace: int) -> None:
        try:
            hook = (spec.get("lifecycle") or {}).get("preStop")
            if hook and grace > 0:
                began = time.monotonic()
                await self._hook(pod, spec, container, hook, "PreStop", float(grace))
                grace = max(grace - int(time.monotonic() - began), _LEAST_GRACE)
            await self._stop(container, grace)
        finally:
            self._ending.pop(container.id, None)
            self._done()

    async def _stop(self, container: Container, grace: int) -> None:
        """A runtime that cannot be reached is asked again by the next sync."""
        try:
            await self._shared.cri.stop_container(container.id, grace)
            await self._shared.state.refresh(container.id)
        except CriError as error:
            log.warning("container %s was not stopped: %s", container.id, error)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _hook(self, pod: Obj, spec: Obj, container: Container, hook: Obj, kind: str, seconds: float) -> bool:
        sandbox = self._shared.state.pod(pod["metadata"]["uid"]).sandbox()
        ok, _ = await self._shared.handlers.ask(hook, spec, container, sandbox.ip if sandbox else "", seconds)
        if not ok:
            self._shared.event(pod, "Warning", f"Failed{kind}Hook", f"{kind}Hook failed", container.name)
        return ok

    async def post_start(self, pod: Obj, spec: Obj, container: Container, grace: int) -> None:
        """However long it takes; a failing postStart hook ends its container."""
        self._in_hook.add(container.id)
        try:
            hook = spec["lifecycle"]["postStart"]
            if not await self._hook(pod, spec, container, hook, "PostStart", _POST_START_SECONDS):
                self.kill(pod, spec, container, grace, "FailedPostStartHook")
        finally:
            self._in_hook.discard(container.id)
            self._done()
