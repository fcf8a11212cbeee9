"""What to do for a pod: its spec and what the runtime has, in; sandboxes and containers to make and to end, out.

Pure, after kuberuntime's computePodActions (Kubernetes 1.36). Pods being deleted are not its business: everything of
them ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kubelearn.api.cri import Container, Sandbox
from kubelearn.api.resource import Obj
from kubelearn.node.kubelet import podspec
from kubelearn.node.kubelet.runtime_state import PodRuntime


@dataclass(frozen=True, slots=True)
class Start:
    """Make and start a container; `after` is its previous life."""

    spec: Obj
    attempt: int
    after: Container | None = None


@dataclass(frozen=True, slots=True)
class Kill:
    """`why` goes into the event; empty for the plain `Stopping container NAME`."""

    container: Container
    why: str = ""


@dataclass(slots=True)
class Plan:
    """`waiting` are containers whose restart is held back, with the time they may start again. `stop` are sandboxes
    to end because the pod is done or has a newer one, `remove` dead containers that nobody needs any more."""

    sandbox: Sandbox | None = None
    create_sandbox: bool = False
    sandbox_attempt: int = 0
    start: list[Start] = field(default_factory=list)
    kill: list[Kill] = field(default_factory=list)
    stop: list[Sandbox] = field(default_factory=list)
    remove: list[Container] = field(default_factory=list)
    waiting: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """`unhealthy` maps container ids to why they must be restarted; `started` says whether a container's startup
    probe has succeeded; `may_start_at(name, exited)` is its back-off, on the clock of `now`; `in_hook` are the
    containers whose postStart hook runs: those after them wait for it."""

    now: float
    unhealthy: Mapping[str, str]
    started: Callable[[Container], bool]
    may_start_at: Callable[[str, Container], float]
    in_hook: Callable[[str], bool] = lambda _: False


def plan(pod: Obj, runtime: PodRuntime, facts: Facts) -> Plan:
    out = Plan(sandbox=runtime.sandbox())
    out.stop = [s for s in runtime.sandboxes if s.state == "READY" and s is not out.sandbox]
    out.remove = _forgettable(pod, runtime)
    if is_done(pod, runtime):
        _finish(pod, runtime, out)
    elif out.sandbox is None:
        out.create_sandbox = True
        out.sandbox_attempt = max((s.attempt + 1 for s in runtime.sandboxes), default=0)
    else:
        _Containers(pod, runtime, facts, out, out.sandbox.id).go()
    return out


def is_done(pod: Obj, runtime: PodRuntime) -> bool:
    """Nothing of this pod will run again, by its restart policy and how its containers ended."""
    if podspec.is_terminal(pod):
        return True
    for spec in podspec.init_containers(pod):
        latest = runtime.latest(spec["name"])
        if latest is not None and latest.exit_code != 0 and _over(pod, spec, latest):
            return True
    return all(_over(pod, spec, runtime.latest(spec["name"])) for spec in podspec.containers(pod))


def _over(pod: Obj, spec: Obj, life: Container | None) -> bool:
    """It has ended and will not be started again."""
    return life is not None and life.state == "EXITED" and not podspec.may_restart(pod, spec, life.exit_code)


def _finish(pod: Obj, runtime: PodRuntime, out: Plan) -> None:
    """Sidecars end in the reverse of their order, one after the other; then the sandbox."""
    running = {c.name: c for c in runtime.running()}
    order = [s["name"] for s in reversed(podspec.init_containers(pod))]
    plain = [c for name, c in running.items() if name not in order]
    sidecars = [running[name] for name in order if name in running]
    out.kill = [Kill(c) for c in (plain or sidecars[:1])]
    if not running and out.sandbox is not None:
        out.stop = [*out.stop, out.sandbox]


class _Containers:
    """One look at the containers of a pod whose sandbox is ready."""

    def __init__(self, pod: Obj, runtime: PodRuntime, facts: Facts, out: Plan, sandbox_id: str) -> None:
        self._pod = pod
        self._runtime = runtime
        self._facts = facts
        self._out = out
        self._sandbox_id = sandbox_id

    def go(self) -> None:
        """At most one container that has a postStart hook is started in one look, as the last."""
        for spec in podspec.ephemeral_containers(self._pod):
            if self._runtime.latest(spec["name"]) is None and not podspec.old_status(self._pod, spec["name"]):
                self._out.start.append(Start(spec, 0))
        if self._initialized():
            for spec in podspec.containers(self._pod):
                self._look(spec)
                if self._hooked(spec):
                    return

    def _hooked(self, spec: Obj) -> bool:
        """Its postStart hook runs, or will when it has started: what comes after it waits, as the kubelet does."""
        here = self._here(spec["name"])
        if here is not None and here.state == "RUNNING":
            return self._facts.in_hook(here.id)
        starts = any(start.spec["name"] == spec["name"] for start in self._out.start)
        return starts and bool((spec.get("lifecycle") or {}).get("postStart"))

    def _here(self, name: str) -> Container | None:
        """Its newest life in this sandbox."""
        return next((c for c in self._runtime.of(name) if c.sandbox_id == self._sandbox_id), None)

    def _initialized(self) -> bool:
        """True once every init container is done, or every sidecar has started."""
        begun = any(self._here(spec["name"]) for spec in podspec.containers(self._pod))
        for spec in podspec.init_containers(self._pod):
            here = self._here(spec["name"])
            if podspec.is_sidecar(spec):
                self._look(spec)
                if not begun and not (here and here.state == "RUNNING" and self._facts.started(here)):
                    return False
                if not begun and self._hooked(spec):
                    return False
            elif not begun and not (here and here.state == "EXITED" and here.exit_code == 0):
                self._look(spec)
                return False
        return True

    def _look(self, spec: Obj) -> None:
        name = spec["name"]
        here, last = self._here(name), self._runtime.latest(name)
        if here is not None and here.state == "RUNNING":
            if here.id in self._facts.unhealthy:
                self._out.kill.append(Kill(here, self._facts.unhealthy[here.id]))
            elif _image_changed(spec, here):
                self._out.kill.append(Kill(here, f"Container {name} definition changed, will be restarted"))
            return
        if here is not None and here.state != "EXITED":
            self._out.remove.append(here)  # made but never started: the kubelet ended in between
            self._out.start.append(Start(spec, here.attempt))
            return
        if last is None:
            self._out.start.append(Start(spec, self._known_restarts(name)))
            return
        if _over(self._pod, spec, last) and (here is not None or podspec.restart_policy(self._pod) == "Never"):
            return
        due = self._facts.may_start_at(name, last)
        if due > self._facts.now:
            self._out.waiting[name] = due
            return
        self._out.start.append(Start(spec, last.attempt + 1, last))

    def _known_restarts(self, name: str) -> int:
        """The API remembers lives that the runtime has lost."""
        status = podspec.old_status(self._pod, name)
        return int(status.get("restartCount", 0)) + 1 if status.get("containerID") else 0


def _image_changed(spec: Obj, running: Container) -> bool:
    return bool(running.image != spec["image"])


def _forgettable(pod: Obj, runtime: PodRuntime) -> list[Container]:
    """Of each container the last life and the one before it stay, for its status and `logs --previous`."""
    names = {spec["name"] for spec in podspec.every_container(pod)}
    return [c for name in names for c in runtime.of(name)[2:] if c.state == "EXITED"]
