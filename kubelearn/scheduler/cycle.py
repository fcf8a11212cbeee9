"""The scheduler's loop: watches feed the cache and the queue, decisions become bindings, failures become conditions.

Deciding is synchronous and pure (`decide`); a chosen node is assumed at once and bound in a task of its own, so that
the next pod does not wait for the API. Each write names as its cause the revision that the pod was tried for (its
creation, or the change that made another try worth while) and carries the verdicts on every node.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
import time
from collections.abc import Callable
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.kinds.poddisruptionbudget import RESOURCE as BUDGETS
from kubelearn.api.resource import Obj, Resource
from kubelearn.api.volume_matching import claim_names
from kubelearn.client.event_series import SeriesRecorder
from kubelearn.client.informer import Informer
from kubelearn.client.rest import Client
from kubelearn.client.transport import TransportError
from kubelearn.kit import clock
from kubelearn.kit.tasks import Tasks
from kubelearn.scheduler.cache import Cache
from kubelearn.scheduler.decide import Decision, decide, default_plugins
from kubelearn.scheduler.eviction import PODS, Evictor
from kubelearn.scheduler.framework import Cluster, PodInfo
from kubelearn.scheduler.preemption import Preemption
from kubelearn.scheduler.queue import Entry, PodQueue
from kubelearn.scheduler.report import Reporter, finished, nominated_of
from kubelearn.scheduler.volume_binder import VolumeBinder, VolumeBindingError
from kubelearn.scheduler.volumes import Plan
from kubelearn.trace.cause import Acting, acting

log = logging.getLogger(__name__)

NAME = "default-scheduler"
NODES = Resource("", "v1", "Node", "nodes", "node", False)
FINISHED = ("Succeeded", "Failed")
BINDINGS_AT_ONCE = 32


class Scheduler:
    """Run it as a task with `run`; cancel that to stop it."""

    def __init__(
        self,
        client: Client,
        recorder: SeriesRecorder,
        *,
        now: clock.Clock = clock.utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._client = client
        self._monotonic = monotonic
        self._rng = rng
        self._plugins = default_plugins()
        self._helped_by = {plugin.name: plugin.helped_by for plugin in self._plugins}
        self._cache = Cache()
        self._queue = PodQueue(monotonic)
        self._pods = Informer(client, PODS)
        self._nodes = Informer(client, NODES)
        self._budgets = Informer(client, BUDGETS)
        self._evictor = Evictor(client, recorder, now)
        self._volumes = VolumeBinder(client, self._on_storage)
        self._reporter = Reporter(client, recorder, self._pods, now)
        self._wake = asyncio.Event()
        self._tasks = Tasks("scheduler")
        self._binding = asyncio.Semaphore(BINDINGS_AT_ONCE)

    async def run(self) -> None:
        async with self._tasks as tasks:
            self._nodes.add_handler(self._on_node)
            self._pods.add_handler(self._on_pod)
            informers = (self._nodes, self._budgets, *self._volumes.informers, self._pods)
            for informer in informers:
                informer.start(tasks)
            for informer in informers:
                await informer.synced()
            while True:
                entry = self._queue.pop()
                if entry is None:
                    await self._wait()
                else:
                    self._schedule(entry)
                    await asyncio.sleep(0)

    async def _wait(self) -> None:
        due = self._queue.next_due()
        self._wake.clear()
        timeout = None if due is None else max(0.0, due - self._monotonic())
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            return

    # what the watches show

    def _on_node(self, event: str, old: Obj | None, new: Obj) -> None:
        if event == "DELETED":
            self._cache.remove_node(new["metadata"]["name"])
        else:
            self._cache.set_node(new)
        if event == "DELETED" or old is None or _offers(old) != _offers(new):
            self._moved("node", _revision(new))

    def _on_pod(self, event: str, old: Obj | None, new: Obj) -> None:
        pod = PodInfo.of(new)
        if event == "DELETED" or (new.get("status") or {}).get("phase") in FINISHED:
            self._queue.remove(pod.uid)
            self._cache.withdraw(pod.uid)
            self._volumes.wake()
            if self._cache.remove(pod.uid):
                self._moved("pod-gone", pod.revision)
        elif node := pod.spec.get("nodeName"):
            self._queue.remove(pod.uid)
            self._cache.place(pod, node)
            if old is None or not old["spec"].get("nodeName") or PodInfo.of(old).labels != pod.labels:
                self._moved("pod-new", pod.revision)
        elif not _is_ours(pod):
            self._queue.remove(pod.uid)
            self._cache.withdraw(pod.uid)
        elif not self._cache.is_placed(pod.uid):
            if nominated := nominated_of(new):
                self._cache.nominate(pod, nominated)
            elif old is not None and nominated_of(old):
                self._cache.withdraw(pod.uid)
            self._queue.put(pod)
            self._wake.set()

    def _on_storage(self, change: str, obj: Obj) -> None:
        about = obj["metadata"]
        self._moved(change, _revision(obj), (about["namespace"], about["name"]) if change == "claim" else None)

    def _moved(self, change: str, revision: int, claim: tuple[str, str] | None = None) -> None:
        """A `claim` concerns only the pods that name it."""

        def helps(entry: Entry) -> bool:
            pod = entry.pod
            if claim is not None and claim not in {(pod.namespace, name) for name, _ in claim_names(pod.obj)}:
                return False
            return any(change in self._helped_by.get(name, ()) for name in entry.rejected_by)

        self._queue.moved(revision, helps)
        self._wake.set()

    # what is done about a pod

    def _schedule(self, entry: Entry) -> None:
        decision = self._decide(entry.pod)
        before = entry.report
        if decision.node:
            plan = self._volumes.plan(entry.pod, self._cache.node(decision.node))
            self._volumes.assume(plan)
            self._cache.place(entry.pod, decision.node)
            work = self._bind(entry, decision, plan, before)
        else:
            self._queue.reject(entry, decision.rejected_by)
            outranked = self._nominate(entry.pod, decision)
            if decision.preemption is None:
                work = self._reporter.report(entry.pod, entry.cause, decision, before)
            else:
                self._queue.hold(entry)
                work = self._preempt(entry, decision, decision.preemption, outranked, before)
        entry.report = self._tasks.start(work, f"{entry.pod.namespace}/{entry.pod.name}")

    def _decide(self, pod: PodInfo) -> Decision:
        try:
            cluster = Cluster(self._budgets.items(), self._cache.nominated(), self._volumes.storage(pod))
            nominated = self._cache.nomination(pod.uid)
            return decide(pod, self._cache.nodes(), self._plugins, self._rng, cluster, nominated)
        except (KeyError, TypeError, ValueError) as error:
            log.exception("no decision on pod %s/%s", pod.namespace, pod.name)
            return Decision("", {}, f"running plugins: {error}", frozenset(self._helped_by))

    def _nominate(self, pod: PodInfo, decision: Decision) -> list[PodInfo]:
        """The pods of lower priority that counted on the room which is now to be made for `pod`."""
        if decision.nominate is None:
            return []
        if not decision.nominate:
            self._cache.withdraw(pod.uid)
            return []
        there = self._cache.nominated().get(decision.nominate, [])
        outranked = [other for other in there if other.priority < pod.priority]
        for other in outranked:
            self._cache.withdraw(other.uid)
        self._cache.nominate(pod, decision.nominate)
        return outranked

    async def _preempt(
        self,
        entry: Entry,
        decision: Decision,
        found: Preemption,
        outranked: list[PodInfo],
        before: asyncio.Task[None] | None,
    ) -> None:
        await self._reporter.report(entry.pod, entry.cause, decision, before)
        try:
            with acting(Acting(revision=entry.cause, note=decision.note())):
                await self._evictor.withdraw(outranked)
                await self._evictor.evict(entry.pod, found, lambda: self._queue.let_go(entry))
        except (ApiError, TransportError) as error:
            log.warning("making room for %s/%s: %s", entry.pod.namespace, entry.pod.name, error)
            if entry.place in ("held", "waiting"):
                self._queue.retry(entry)
                self._wake.set()

    async def _bind(self, entry: Entry, decision: Decision, plan: Plan, before: asyncio.Task[None] | None) -> None:
        """`before` tells of an earlier failure; its condition must not land on a bound pod."""
        pod = entry.pod
        try:
            with self._volumes.assumed(plan), acting(Acting(revision=entry.cause, note=decision.note())):
                await finished(before)
                await self._bind_volumes(entry, decision.node, plan)
            async with self._binding:
                with acting(Acting(revision=entry.cause, note=decision.note())):
                    await self._post_binding(pod, decision.node)
        except (ApiError, TransportError) as error:
            self._binding_failed(entry, error)
            await self._reporter.tell(
                pod, entry.cause, "Warning", "FailedScheduling", "Scheduling", f"binding rejected: {error}"
            )
        except VolumeBindingError as error:
            self._binding_failed(entry, error)
            failed = dataclasses.replace(decision, message=str(error), nominate="")
            await self._reporter.report(pod, entry.cause, failed, None, "SchedulerError")
        else:
            self._queue.remove(pod.uid)
            said = f"Successfully assigned {pod.namespace}/{pod.name} to {decision.node}"
            await self._reporter.tell(pod, entry.cause, "Normal", "Scheduled", "Binding", said)

    async def _bind_volumes(self, entry: Entry, node: str, plan: Plan) -> None:
        if plan:
            await self._reporter.expect(entry.pod, entry.cause, node)
            await self._volumes.bind(plan, node, lambda: entry.pod.uid not in self._queue)

    async def _post_binding(self, pod: PodInfo, node: str) -> None:
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
            "target": {"kind": "Node", "name": node},
        }
        await self._client.create(PODS, binding, pod.namespace, subresource="binding", name=pod.name)

    def _binding_failed(self, entry: Entry, error: Exception) -> None:
        """Not on that node after all, unless the watch says so: a pod that is bound or gone leaves the queue there."""
        log.warning("binding %s/%s: %s", entry.pod.namespace, entry.pod.name, error)
        seen = self._pods.get(entry.pod.namespace, entry.pod.name)
        if seen is None or seen["metadata"].get("uid") != entry.pod.uid:
            self._cache.remove(entry.pod.uid)
        elif not seen["spec"].get("nodeName"):
            self._cache.remove(entry.pod.uid)
            entry.pod = PodInfo.of(seen)
        if isinstance(error, ApiError) and error.code == 404:
            self._queue.remove(entry.pod.uid)
        self._queue.retry(entry)
        self._wake.set()


def _is_ours(pod: PodInfo) -> bool:
    """Pods with scheduling gates wait for whoever set them; the API server says so in their condition."""
    named = pod.spec.get("schedulerName") or NAME
    return named == NAME and not pod.spec.get("schedulingGates") and not pod.terminating


def _offers(node: Obj) -> tuple[Any, ...]:
    """What of a node matters here; heartbeats do not."""
    spec = node.get("spec") or {}
    allocatable = (node.get("status") or {}).get("allocatable")
    return (allocatable, node["metadata"].get("labels"), spec.get("taints"), spec.get("unschedulable"))


def _revision(obj: Obj) -> int:
    return int(obj["metadata"].get("resourceVersion") or 0)
