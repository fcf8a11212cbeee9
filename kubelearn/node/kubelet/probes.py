"""Startup, readiness and liveness: one task per probe of a running container, and what they have found.

One thing differs from Kubernetes, on purpose: a readiness or startup probe that has not succeeded yet is also asked,
quietly and more often, during the first period, so that a container that needs 50 ms to listen is ready after 100 ms
and not after ten seconds. Only the regular attempts count as failures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kubelearn.api.cri import Container
from kubelearn.api.resource import Obj
from kubelearn.kit.tasks import Tasks
from kubelearn.node.kubelet.handlers import Handlers

_KINDS = ("startup", "readiness", "liveness")
_FIRST_LOOK = 0.03


@dataclass(slots=True)
class Health:
    """A container's verdicts; without a probe it is started and ready at once."""

    started: bool
    ready: bool
    unhealthy: str = ""
    startup_done: asyncio.Event = field(default_factory=asyncio.Event)


class Prober:
    """One pod's probes. `changed()` is called when a verdict changes, `tell(container name, message)` on failures."""

    def __init__(
        self, handlers: Handlers, tasks: Tasks, changed: Callable[[], None], tell: Callable[[str, str], None]
    ) -> None:
        self._handlers = handlers
        self._tasks = tasks
        self._changed = changed
        self._tell = tell
        self._health: dict[str, Health] = {}
        self._running: dict[str, list[asyncio.Task[None]]] = {}

    def follow(self, spec: Obj, container: Container, pod_ip: str) -> None:
        """Begin to probe a container that runs; nothing happens if it is probed already."""
        if container.id in self._health:
            return
        probes = {kind: spec[f"{kind}Probe"] for kind in _KINDS if spec.get(f"{kind}Probe")}
        health = Health("startup" not in probes, "readiness" not in probes)
        if health.started:
            health.startup_done.set()
        self._health[container.id] = health
        self._running[container.id] = [
            self._tasks.start(
                self._probe(kind, probe, spec, container, pod_ip, health), f"probe/{container.id[:12]}/{kind}"
            )
            for kind, probe in probes.items()
        ]

    def forget(self, container_id: str) -> None:
        """It does not run any more, or is about to end: its probes stop."""
        for task in self._running.pop(container_id, ()):
            task.cancel()
        if health := self._health.pop(container_id, None):
            health.ready = False

    def known(self) -> list[str]:
        return list(self._health)

    def started(self, container: Container) -> bool:
        health = self._health.get(container.id)
        return health is not None and health.started

    def ready(self, container: Container) -> bool:
        health = self._health.get(container.id)
        return health is not None and health.started and health.ready

    def unhealthy(self) -> dict[str, str]:
        return {container: health.unhealthy for container, health in self._health.items() if health.unhealthy}

    async def _probe(self, kind: str, probe: Obj, spec: Obj, container: Container, pod_ip: str, health: Health) -> None:
        if kind != "startup":
            await health.startup_done.wait()
        delay = container.started_at + probe.get("initialDelaySeconds", 0) - time.time()
        await asyncio.sleep(max(delay, 0))
        period = float(probe.get("periodSeconds", 10))
        if kind != "liveness" and await self._first_looks(kind, probe, spec, container, pod_ip, health, period):
            await asyncio.sleep(period)
        counts = {True: 0, False: 0}
        while True:
            began = time.monotonic()
            ok, output = await self._ask(probe, spec, container, pod_ip)
            counts[ok] += 1
            counts[not ok] = 0
            if not ok:
                self._tell(spec["name"], f"{kind.capitalize()} probe failed: {output}")
            threshold = probe.get("successThreshold", 1) if ok else probe.get("failureThreshold", 3)
            if counts[ok] >= threshold:
                self._conclude(kind, ok, spec["name"], health)
            if kind == "startup" and health.started:
                return
            await asyncio.sleep(max(period - (time.monotonic() - began), 0))

    async def _first_looks(
        self, kind: str, probe: Obj, spec: Obj, container: Container, pod_ip: str, health: Health, period: float
    ) -> bool:
        """True if it succeeded within its first period."""
        if probe.get("successThreshold", 1) > 1:
            return False
        pause, end = _FIRST_LOOK, time.monotonic() + period
        while True:
            ok, _ = await self._ask(probe, spec, container, pod_ip)
            if ok:
                self._conclude(kind, True, spec["name"], health)
                return True
            if time.monotonic() + pause > end:
                await asyncio.sleep(max(end - time.monotonic(), 0))
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 1.6, 1.0)

    async def _ask(self, probe: Obj, spec: Obj, container: Container, pod_ip: str) -> tuple[bool, str]:
        return await self._handlers.ask(probe, spec, container, pod_ip, float(probe.get("timeoutSeconds", 1)))

    def _conclude(self, kind: str, ok: bool, name: str, health: Health) -> None:
        before = (health.started, health.ready, health.unhealthy)
        if kind == "readiness":
            health.ready = ok
        elif ok and kind == "startup":
            health.started = True
            health.startup_done.set()
        elif not ok:
            health.unhealthy = f"Container {name} failed {kind} probe, will be restarted"
        if before != (health.started, health.ready, health.unhealthy):
            self._changed()
