"""The kubelet: gives each pod of its node a worker, and wakes it when the API or the runtime has news.

Ending the kubelet ends no container: the next one adopts them by what the runtime says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from kubelearn.api.cri import RuntimeService
from kubelearn.api.resource import Obj
from kubelearn.client.events import EventRecorder
from kubelearn.client.informer import Informer
from kubelearn.client.rest import Client
from kubelearn.kit.tasks import Tasks
from kubelearn.node.config import NodeConfig
from kubelearn.node.kubelet.configs import Configs
from kubelearn.node.kubelet.handlers import Handlers
from kubelearn.node.kubelet.node_status import NodeStatus
from kubelearn.node.kubelet.pod_worker import PodWorker
from kubelearn.node.kubelet.runtime_state import RuntimeState
from kubelearn.node.kubelet.shared import Shared
from kubelearn.node.resources import PODS, SERVICES

log = logging.getLogger(__name__)

_FAULT_SECONDS = 2.0


class Kubelet:
    """`run` returns when the node has registered and its pods are looked after, by tasks of `tasks`."""

    def __init__(self, config: NodeConfig, client: Client, cri: RuntimeService, tasks: Tasks) -> None:
        self.config = config
        self.cri = cri
        self.state = RuntimeState(cri, self._runtime_changed, self._runtime_health_changed)
        self._tasks = tasks
        recorder = EventRecorder(client, "kubelet", config.node)
        self._status = NodeStatus(config, client, cri, recorder, lambda: self.state.problem)
        self._pods = Informer(client, PODS, field_selector=f"spec.nodeName={config.node}")
        self._services = Informer(client, SERVICES)
        self._workers: dict[str, PodWorker] = {}
        self._shared = Shared(
            config,
            client,
            cri,
            self.state,
            recorder,
            Configs(client),
            Handlers(cri, config.network),
            tasks,
            self._services_for,
        )

    async def run(self) -> None:
        self._tasks.start(self.state.watch(), "runtime-events")
        self._pods.start(self._tasks)
        self._services.start(self._tasks)
        await self._status.register()
        self._tasks.start(self._status.heartbeat(), "heartbeat")
        self._tasks.start(self._status.refresh(), "node-status")
        await asyncio.gather(self._pods.synced(), self._services.synced(), self.state.listed.wait())
        self._pods.add_handler(self._pod_changed)
        self._adopt_orphans()
        log.info("the kubelet of %s looks after %d pods", self.config.node, len(self._workers))

    def pods(self) -> list[Obj]:
        """As the API has them, with the newest status that this kubelet knows."""
        return [w.pod for w in self._workers.values()]

    def _services_for(self, namespace: str) -> Iterable[Obj]:
        """Those of the namespace, and the API server's own, which every pod is told of."""
        master = self._services.get("default", "kubernetes")
        found = self._services.items(namespace)
        return found if master is None or namespace == "default" else [master, *found]

    def _pod_changed(self, event: str, old: Obj | None, pod: Obj) -> None:
        if old is not None and old["metadata"]["uid"] != pod["metadata"]["uid"]:
            self._leave(old["metadata"]["uid"])
        uid = pod["metadata"]["uid"]
        if event == "DELETED":
            self._leave(uid)
        elif worker := self._workers.get(uid):
            worker.update(pod)
        else:
            self._begin(PodWorker(self._shared, pod))

    def _leave(self, uid: str) -> None:
        if worker := self._workers.get(uid):
            worker.gone()

    def _begin(self, worker: PodWorker) -> None:
        self._workers[worker.uid] = worker
        self._tasks.start(self._work(worker), f"pod/{worker.pod['metadata']['name']}")

    async def _work(self, worker: PodWorker) -> None:
        """To the pod's end. A fault of ours is logged in full, and the pod's worker goes on after a moment."""
        while True:
            try:
                await worker.run()
            except Exception:
                log.exception("the worker of pod %s failed", worker.pod["metadata"]["name"])
                await asyncio.sleep(_FAULT_SECONDS)
                worker.wake()
            else:
                self._workers.pop(worker.uid, None)
                return

    def _runtime_changed(self, uid: str) -> None:
        if worker := self._workers.get(uid):
            worker.wake()

    def _runtime_health_changed(self) -> None:
        self._status.wake()

    def _adopt_orphans(self) -> None:
        """Pods that were deleted while no kubelet ran: what is left of them ends."""
        for uid, sandbox in self.state.uids().items():
            if uid in self._workers:
                continue
            meta = {"name": sandbox.pod_name, "namespace": sandbox.pod_namespace, "uid": uid}
            names = {c.name for c in self.state.pod(uid).containers}
            spec = {"containers": [{"name": n, "image": ""} for n in sorted(names)]}
            self._begin(PodWorker(self._shared, {"metadata": meta, "spec": spec}, orphan=True))
