"""Run every controller of the registry, each as itself.

Each has its own client and its own informers, so that the API server sees one identity per controller: the gate can
hold one and let the others go, and causes name who wrote. A reconcile runs as `acting` on the event that queued its
key; one that fails is logged and comes back later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.events import EventRecorder
from kubelearn.client.informer import Informer, acting_on
from kubelearn.client.rest import Client
from kubelearn.client.transport import TransportError
from kubelearn.client.workqueue import QueueClosed, WorkQueue
from kubelearn.controllers.base import Controller, ControllerContext, Options, Watch
from kubelearn.kit import clock
from kubelearn.kit.discover import DiscoveryError, load, names
from kubelearn.kit.tasks import Tasks
from kubelearn.trace import cause

log = logging.getLogger(__name__)

_NOT_CONTROLLERS = ("base", "manager")


def registry() -> dict[str, Controller]:
    """All controllers by module name; two of one name are an error."""
    package = "kubelearn.controllers"
    modules = [name for name in names(package) if name not in _NOT_CONTROLLERS]
    found = {name: load(package, name, "CONTROLLER", Controller) for name in modules}
    if len({controller.name for controller in found.values()}) != len(found):
        raise DiscoveryError(f"{package}: two controllers have the same name")
    return found


class Manager:
    """`make_client(name)` gives the client of the controller of that name."""

    def __init__(
        self,
        make_client: Callable[[str], Client],
        options: Options = Options(),  # noqa: B008 - frozen
        *,
        now: clock.Clock = clock.utc_now,
        controllers: Iterable[Controller] | None = None,
    ) -> None:
        self._make_client = make_client
        self._options = options
        self._now = now
        self._controllers = tuple(controllers if controllers is not None else registry().values())
        self.contexts: dict[str, ControllerContext] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def start(self, tasks: Tasks) -> None:
        """Start all; each begins to work as soon as its own informers are synced."""
        for controller in self._controllers:
            if not controller.enabled(self._options):
                log.info("%s is not started: it lacks its options", controller.name)
                continue
            context = self._context(controller, tasks)
            self.contexts[controller.name] = context
            self._running[controller.name] = tasks.start(_run(controller, context), controller.name)

    def problem(self) -> str:
        """Which controllers have ended, though they should run as long as the manager; empty if none has."""
        ended = [name for name, task in self._running.items() if task.done()]
        if not self._running:
            return "no controller has been started"
        return f"ended: {', '.join(ended)}; see the cluster's log" if ended else ""

    def _context(self, controller: Controller, tasks: Tasks) -> ControllerContext:
        client = self._make_client(controller.name)
        recorder = EventRecorder(client, controller.source or controller.name, now=self._now)
        return ControllerContext(controller.name, client, recorder, WorkQueue(), tasks, self._options, self._now)

    async def settled(self, quiet: float = 0.05) -> None:
        """Returns when no controller has had work for `quiet` seconds: for tests and demonstrations."""
        since = asyncio.get_running_loop().time()
        while (now := asyncio.get_running_loop().time()) - since < quiet:
            if not all(c.queue.idle() for c in self.contexts.values()):
                since = now
            await asyncio.sleep(quiet / 5)


async def _run(controller: Controller, context: ControllerContext) -> None:
    informers = [follow(context, watch) for watch in controller.watches]
    await asyncio.gather(*(informer.synced() for informer in informers))
    if controller.setup is not None:
        await controller.setup(context)
    workers = (_work(controller, context) for _ in range(controller.workers))
    try:
        async with asyncio.TaskGroup() as group:
            for number, worker in enumerate(workers):
                group.create_task(worker, name=f"{controller.name} worker {number}")
    finally:
        context.queue.close()


def follow(context: ControllerContext, watch: Watch) -> Informer:
    """Start an informer for `watch` whose changes queue the keys that the watch names."""
    informer = Informer(context.client, watch.resource, watch.namespace, metadata_only=watch.metadata_only)
    for name, indexer in watch.indexes.items():
        informer.add_index(name, indexer)
    context.informers[watch.resource.group_resource] = informer

    def changed(event_type: str, old: Obj | None, new: Obj) -> None:
        acting = acting_on(new)
        for key in watch.enqueue(context, event_type, old, new):
            context.queue.add(key, acting)

    informer.add_handler(changed)
    informer.start(context.tasks)
    return informer


async def _work(controller: Controller, context: ControllerContext) -> None:
    while True:
        try:
            key, acting = await context.queue.get()
        except QueueClosed:
            return
        try:
            with cause.acting(acting or cause.Acting()):
                await controller.reconcile(context, key)
        except ApiError as error:
            level = logging.INFO if error.code in (404, 409) else logging.WARNING
            _again(context, key, acting, error, level)
        except TransportError as error:
            _again(context, key, acting, error, logging.WARNING)
        except Exception as error:
            log.exception("%s: reconciling %s failed", context.name, key)
            _again(context, key, acting, error, logging.ERROR)
        else:
            context.queue.forget(key)
        finally:
            context.queue.done(key)


def _again(context: ControllerContext, key: str, acting: Any, error: Exception, level: int) -> None:
    delay = context.queue.add_rate_limited(key, acting)
    log.log(level, "%s: reconciling %s: %s; again in %.3gs", context.name, key, error, delay)
