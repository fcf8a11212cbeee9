"""One pod on this node, from its binding to its end: look, act, report; again whenever something changed.

The worker sleeps until the API's watch, the runtime's events, a probe or a timer wakes it. What takes long (ending a
container) runs beside it, so it is never deaf.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from kubelearn.api.cri import CriError
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.transport import TransportError
from kubelearn.kit.clock import utc_now
from kubelearn.node.kubelet import podspec, sync
from kubelearn.node.kubelet.alarm import Alarm
from kubelearn.node.kubelet.backoff import Backoff
from kubelearn.node.kubelet.endings import Endings
from kubelearn.node.kubelet.images import NotStarted
from kubelearn.node.kubelet.killer import Killer
from kubelearn.node.kubelet.last_words import LastWords
from kubelearn.node.kubelet.mounter import Content, Mounter
from kubelearn.node.kubelet.places import MountError
from kubelearn.node.kubelet.probes import Prober
from kubelearn.node.kubelet.reporting import says_the_same, write_status
from kubelearn.node.kubelet.runtime_state import PodRuntime
from kubelearn.node.kubelet.shared import Shared
from kubelearn.node.kubelet.starter import Starter, crash_loop
from kubelearn.node.kubelet.status import View, pod_status
from kubelearn.node.resources import PODS
from kubelearn.trace.cause import Acting, acting, add_note

log = logging.getLogger(__name__)

_MAX_RETRY = 10.0
_MOUNT_AGAIN = 2.0


class PodWorker:
    """`pod` is as the API has it; a pod that only the runtime knows is begun with `orphan=True`."""

    def __init__(self, shared: Shared, pod: Obj, *, orphan: bool = False) -> None:
        self._shared = shared
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self._gone = orphan
        self._wake = asyncio.Event()
        self._wake.set()
        self._alarm = Alarm(self.wake)
        self._sent_revision = 0
        self._crashes = Backoff()
        self._told: set[tuple[str, float]] = set()
        self._waiting: dict[str, tuple[str, str]] = {}
        self._again: dict[str, float] = {}
        self._mounter = Mounter(shared)
        self._starter = Starter(shared)
        self._prober = Prober(shared.handlers, shared.tasks, self.wake, self._unhealthy)
        self._killer = Killer(shared, self.wake, self._prober.forget)
        self._endings = Endings(shared, self._alarm)
        self._last_words = LastWords(shared)

    def wake(self) -> None:
        self._wake.set()

    def update(self, pod: Obj) -> None:
        """What the watch says. A status older than what we wrote last is not taken over."""
        if int(pod["metadata"]["resourceVersion"]) < self._sent_revision:
            pod = {**pod, "status": self.pod.get("status", {})}
        self.pod = pod
        self.wake()

    def gone(self) -> None:
        """It is no longer in the API: end what runs at once and clean up."""
        self._gone = True
        self.wake()

    async def run(self) -> None:
        """Returns when nothing of the pod is left on this node."""
        delay = 0.2
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                revision = int(self.pod["metadata"].get("resourceVersion", 0))
                with acting(Acting(revision=revision)):
                    if await self._step():
                        break
                delay = 0.2
            except (CriError, ApiError, TransportError) as error:
                log.warning("pod %s: %s; trying again in %.1fs", podspec.key(self.pod), error, delay)
                self._alarm.within(delay)
                delay = min(delay * 2, _MAX_RETRY)
        self._alarm.cancel()

    def _unhealthy(self, container: str, message: str) -> None:
        self._shared.event(self.pod, "Warning", "Unhealthy", message, container)

    async def _step(self) -> bool:
        """True when the pod is finished with."""
        runtime = self._shared.state.pod(self.uid)
        self._watch_health(runtime)
        if self._gone or self.pod["metadata"].get("deletionTimestamp"):
            return await self._terminate(runtime)
        await self._endings.look(self.pod, runtime)
        if self._endings.verdict and not podspec.is_terminal(self.pod):
            self._kill_all(runtime, self._endings.grace_seconds(self.pod))
        else:
            await self._converge()
            await self._refresh()
        await self._report()
        return False

    async def _converge(self) -> None:
        """Act until there is nothing left to do now."""
        while True:
            runtime = self._shared.state.pod(self.uid)
            self._watch_health(runtime)
            now = time.time()
            facts = sync.Facts(
                now, self._prober.unhealthy(), self._prober.started, self._may_start_at, self._killer.in_hook
            )
            plan = sync.plan(self.pod, runtime, facts)
            again = await self._apply(plan, runtime, now)
            if not again:
                return

    def _may_start_at(self, name: str, last: Any) -> float:
        return max(self._crashes.until(name, last.finished_at), self._again.get(name, 0.0))

    async def _apply(self, plan: sync.Plan, runtime: PodRuntime, now: float) -> bool:
        """True if the runtime was changed and another look is due."""
        specs = {c["name"]: c for c in podspec.every_container(self.pod)}
        for kill in plan.kill:
            grace = _probe_grace(specs[kill.container.name], kill.why, podspec.grace_seconds(self.pod))
            self._killer.kill(self.pod, specs[kill.container.name], kill.container, grace, kill.why)
        for sandbox in plan.stop:
            await self._shared.cri.stop_pod_sandbox(sandbox.id)
        for container in plan.remove:
            await self._shared.cri.remove_container(container.id)
            self._shared.state.forget(container.id)
        await self._drop_old_sandboxes(plan, runtime)
        self._hold_back(plan.waiting, now)
        if plan.create_sandbox:
            return await self._make_sandbox(plan.sandbox_attempt)
        changed = False
        for start in plan.start:
            changed |= await self._start(plan, start)
        return changed

    async def _drop_old_sandboxes(self, plan: sync.Plan, runtime: PodRuntime) -> None:
        """A dead sandbox stays as long as one of its containers is of interest."""
        if plan.sandbox is None:
            return
        used = {c.sandbox_id for c in runtime.containers if c not in plan.remove}
        for sandbox in runtime.sandboxes:
            if sandbox.state == "NOTREADY" and sandbox.id not in used:
                await self._shared.cri.remove_pod_sandbox(sandbox.id)
                self._shared.state.forget(sandbox.id)

    async def _refresh(self) -> None:
        """Changed ConfigMaps, Secrets and labels reach the volumes of what runs."""
        if self._shared.state.pod(self.uid).running():
            if self._mounter.due_in() <= 0:
                await self._mount()
            self._alarm.within(max(self._mounter.due_in(), 1.0))

    def _hold_back(self, waiting: dict[str, float], now: float) -> None:
        for name, due in waiting.items():
            if (name, due) not in self._told and self._again.get(name, 0.0) < due:
                self._told.add((name, due))
                text = f"Back-off restarting failed container {name} in pod {podspec.key(self.pod)}"
                self._shared.event(self.pod, "Warning", "BackOff", text, name)
                self._waiting[name] = crash_loop(self.pod, name, self._crashes.delay(name))
            self._alarm.within(due - now)

    async def _make_sandbox(self, attempt: int) -> bool:
        if attempt:
            text = "Pod sandbox changed, it will be killed and re-created."
            self._shared.event(self.pod, "Normal", "SandboxChanged", text)
        content = await self._content()
        if content is None:
            return False
        sandbox, mounted = await asyncio.gather(
            self._starter.sandbox(self.pod, attempt), self._mounter.write(self.pod, content), return_exceptions=True
        )
        if isinstance(sandbox, CriError):
            text = f"Failed to create pod sandbox: {sandbox.message}"
            self._shared.event(self.pod, "Warning", "FailedCreatePodSandBox", text)
        if isinstance(sandbox, BaseException):
            raise sandbox
        self._shared.state.put_sandbox(sandbox)
        if isinstance(mounted, MountError):
            self._not_mounted(mounted)
        elif isinstance(mounted, BaseException):
            raise mounted
        return True

    def _not_mounted(self, error: MountError) -> None:
        self._shared.event(self.pod, "Warning", "FailedMount", str(error))
        self._alarm.within(_MOUNT_AGAIN)

    async def _content(self) -> Content | None:
        """What is to be in the pod's volumes; None when that is not to be had, to be tried again."""
        try:
            return await self._mounter.content(self.pod)
        except MountError as error:
            self._not_mounted(error)
            return None

    async def _mount(self) -> bool:
        """The volumes are as the API says, or were a minute ago."""
        if not self._mounter.ready or self._mounter.due_in() <= 0:
            content = await self._content()
            try:
                if content is not None:
                    await self._mounter.write(self.pod, content)
            except MountError as error:
                self._not_mounted(error)
        return self._mounter.ready

    async def _start(self, plan: sync.Plan, start: sync.Start) -> bool:
        name, now = start.spec["name"], time.time()
        sandbox = plan.sandbox
        assert sandbox is not None
        if self._again.get(name, 0.0) > now:
            self._alarm.within(self._again[name] - now)
            return False
        if not await self._mount():
            return False
        if start.after is not None:
            self._crashes.next(name, start.after.finished_at, now)
        try:
            container_id = await self._starter.start(self.pod, start.spec, start.attempt, sandbox, self._mounter.places)
        except NotStarted as error:
            self._waiting[name] = (error.reason, error.message)
            self._again[name] = now + error.again
            self._alarm.within(error.again)
            return False
        self._waiting.pop(name, None)
        self._again.pop(name, None)
        if (start.spec.get("lifecycle") or {}).get("postStart"):
            container = await self._shared.cri.container_status(container_id)
            grace = podspec.grace_seconds(self.pod)
            self._shared.tasks.start(
                self._killer.post_start(self.pod, start.spec, container, grace), f"post-start/{container_id[:12]}"
            )
            await asyncio.sleep(0)  # the hook has begun before the pod is looked at again
        return True

    def _watch_health(self, runtime: PodRuntime) -> None:
        """Probe what runs, and only that; what is being ended is not probed."""
        sandbox = runtime.sandbox()
        running = {c.id: c for c in runtime.running()}
        for container_id in self._prober.known():
            if container_id not in running:
                self._prober.forget(container_id)
        specs = {c["name"]: c for c in podspec.every_container(self.pod)}
        for container in running.values():
            ending = self._killer.is_ending(container.id) or self._killer.in_hook(container.id)
            if sandbox and container.name in specs and not ending:
                self._prober.follow(specs[container.name], container, sandbox.ip)

    def _kill_all(self, runtime: PodRuntime, grace: int) -> None:
        """App containers first; sidecars, last of all, one by one."""
        specs = {c["name"]: c for c in podspec.every_container(self.pod)}
        sidecars = [c["name"] for c in podspec.init_containers(self.pod) if podspec.is_sidecar(c)]
        running = runtime.running()
        first = [c for c in running if c.name not in sidecars]
        last = sorted((c for c in running if c.name in sidecars), key=lambda c: -sidecars.index(c.name))
        for container in running if grace == 0 else (first or last[:1]):
            self._killer.kill(self.pod, specs.get(container.name, {}), container, grace)

    async def _terminate(self, runtime: PodRuntime) -> bool:
        grace = 0 if self._gone else podspec.grace_seconds(self.pod)
        self._kill_all(runtime, grace)
        if runtime.running() or self._killer.busy():
            if not self._gone:
                await self._report()
            return False
        for sandbox in runtime.sandboxes:
            await self._shared.cri.stop_pod_sandbox(sandbox.id)
        if not self._gone:
            await self._report()
            await self._delete()
        for sandbox in runtime.sandboxes:
            await self._shared.cri.remove_pod_sandbox(sandbox.id)
            self._shared.state.forget(sandbox.id)
        await self._shared.cri.remove_volumes(self.uid)
        return True

    async def _delete(self) -> None:
        """The pod's last word: nothing of it runs, so it may go from the API."""
        meta = self.pod["metadata"]
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
        try:
            await self._shared.client.delete(PODS, meta["name"], meta["namespace"], options=options)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    async def _report(self) -> None:
        """Write the pod's status if it says something new."""
        runtime = self._shared.state.pod(self.uid)
        await self._last_words.hear(self.pod, runtime)
        view = View(
            runtime,
            self._shared.config.engine,
            self._shared.config.node_ip,
            utc_now(),
            self._waiting,
            self._prober.started,
            self._prober.ready,
            bool(self.pod["metadata"].get("deletionTimestamp")),
            self._endings.verdict,
            self._killer.in_hook,
            self._last_words.of,
        )
        status = pod_status(self.pod, view)
        if says_the_same(status, self.pod.get("status", {})):
            return
        if self._starter.timings:
            add_note(kubelet=dict(self._starter.timings))
        answer = await write_status(self._shared.client, self.pod, status)
        if answer is None:
            return
        self._starter.timings.clear()
        # Only the status is taken from the answer: what else changed is the watch's to tell (it may be held).
        self._sent_revision = int(answer["metadata"]["resourceVersion"])
        self.pod = {**self.pod, "status": answer.get("status", {})}


def _probe_grace(spec: Obj, why: str, default: int) -> int:
    """The probe that failed may set its own grace period."""
    for kind in ("liveness", "startup"):
        found = (spec.get(f"{kind}Probe") or {}).get("terminationGracePeriodSeconds")
        if f"failed {kind} probe" in why and found is not None:
            return int(found)
    return default
