"""Make and start one container: image, environment, volumes, then the runtime; and why that did not work."""

from __future__ import annotations

import time

from kubelearn.api import quantity
from kubelearn.api.cri import ContainerConfig, CriError, Sandbox, SandboxConfig
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.transport import TransportError
from kubelearn.node.cri_client import UNAVAILABLE
from kubelearn.node.kubelet import env, podspec
from kubelearn.node.kubelet.backoff import Backoff
from kubelearn.node.kubelet.shared import Shared
from kubelearn.node.kubelet.volumes import mounts


class NotStarted(Exception):
    """The container waits: `reason` and `message` are its state, `again` when it may be tried (seconds from now)."""

    def __init__(self, reason: str, message: str, again: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again = again


_RETRY_SECONDS = 2.0
_SHOW_FIRST_SECONDS = 5.0


class Starter:
    """One pod's. Keeps the image pull back-off, and how long each step took (milliseconds, for the trace)."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._pulls = Backoff()
        self._failed: dict[str, tuple[float, str]] = {}
        self.timings: dict[str, float] = {}

    async def sandbox(self, pod: Obj, attempt: int) -> Sandbox:
        """Raises CriError."""
        meta, spec, config = pod["metadata"], pod["spec"], self._shared.config
        domain = config.cluster_domain
        cluster = spec.get("dnsPolicy", "ClusterFirst") in ("ClusterFirst", "ClusterFirstWithHostNet")
        extra = spec.get("dnsConfig") or {}
        searches = [f"{meta['namespace']}.svc.{domain}", f"svc.{domain}", domain] if cluster else []
        wanted = SandboxConfig(
            meta["namespace"],
            meta["name"],
            meta["uid"],
            str(spec.get("hostname") or meta["name"])[:63],
            dict(meta.get("labels") or {}),
            [*([config.cluster_dns] if cluster else []), *extra.get("nameservers", ())],
            [*searches, *extra.get("searches", ())],
            ["ndots:5"] if cluster else [],
            attempt,
        )
        began = time.monotonic()
        sandbox = await self._shared.cri.run_pod_sandbox(wanted)
        self._took("sandbox", began)
        return sandbox

    def _took(self, what: str, began: float) -> None:
        self.timings[what] = round((time.monotonic() - began) * 1000, 1)

    async def start(self, pod: Obj, spec: Obj, attempt: int, sandbox: Sandbox) -> str:
        """The new container's id. Raises NotStarted, and CriError when the runtime cannot be reached."""
        name = spec["name"]
        await self._image(pod, spec)
        try:
            config = await self._config(pod, spec, attempt, sandbox.ip)
        except (env.ConfigError, ApiError, TransportError) as error:
            raise self._refused(pod, name, "CreateContainerConfigError", str(error)) from error
        began = time.monotonic()
        try:
            container = await self._shared.cri.create_container(sandbox.id, config)
        except CriError as error:
            raise self._refused(pod, name, error.reason, error.message) from error
        self._shared.event(pod, "Normal", "Created", "Container created", name)
        self._took(f"{name} created", began)
        try:
            began = time.monotonic()
            await self._shared.cri.start_container(container)
        except CriError as error:
            await self._shared.state.refresh(container)
            raise self._refused(pod, name, error.reason, error.message) from error
        self._took(f"{name} started", began)
        await self._shared.state.refresh(container)
        self._shared.event(pod, "Normal", "Started", "Container started", name)
        return container

    def _refused(self, pod: Obj, name: str, reason: str, message: str) -> NotStarted | CriError:
        if reason == UNAVAILABLE:
            return CriError(reason, message)
        self._shared.event(pod, "Warning", "Failed", f"Error: {message}", name)
        return NotStarted(reason, message, _RETRY_SECONDS)

    async def _config(self, pod: Obj, spec: Obj, attempt: int, pod_ip: str) -> ContainerConfig:
        namespace, shared = pod["metadata"]["namespace"], self._shared
        variables = await env.environment(
            pod,
            spec,
            pod_ip,
            shared.config.node_ip,
            shared.services(namespace),
            lambda kind, name: shared.configs.lookup(namespace, kind, name),
        )
        limits = (spec.get("resources") or {}).get("limits") or {}
        return ContainerConfig(
            spec["name"],
            spec["image"],
            [env.expand(word, variables) for word in spec.get("command") or ()],
            [env.expand(word, variables) for word in spec.get("args") or ()],
            spec.get("workingDir") or "",
            variables,
            mounts(pod, spec, variables),
            attempt,
            quantity.milli(limits["cpu"]) / 1000 if "cpu" in limits else 0.0,
            int(quantity.parse(limits["memory"])) if "memory" in limits else 0,
            bool(spec.get("tty")),
            bool(spec.get("stdin")),
        )

    async def _image(self, pod: Obj, spec: Obj) -> None:
        """Have the image here, by the container's pull policy."""
        image, name = spec["image"], spec["name"]
        policy = spec.get("imagePullPolicy", "IfNotPresent")
        present = None if policy == "Always" else await self._shared.cri.image_status(image)
        if present is not None:
            message = f'Container image "{image}" already present on machine and can be accessed by the pod'
            self._shared.event(pod, "Normal", "Pulled", message, name)
            return
        if policy == "Never":
            text = f'Container image "{image}" is not present with pull policy of Never'
            self._shared.event(pod, "Warning", "ErrImageNeverPull", text, name)
            raise NotStarted("ErrImageNeverPull", text, 10.0)
        self._hold_back(pod, image, name)
        await self._pull(pod, image, name)

    async def _pull(self, pod: Obj, image: str, name: str) -> None:
        self._shared.event(pod, "Normal", "Pulling", f'Pulling image "{image}"', name)
        began = time.monotonic()
        try:
            found = await self._shared.cri.pull_image(image)
        except CriError as error:
            if error.reason == UNAVAILABLE:
                raise
            now = time.time()
            self._pulls.next(image, now, now)
            self._failed[image] = (now, error.message)
            self._shared.event(pod, "Warning", "Failed", f'Failed to pull image "{image}": {error.message}', name)
            self._shared.event(pod, "Warning", "Failed", f"Error: {error.reason}", name)
            first = min(self._pulls.delay(image) / 2, _SHOW_FIRST_SECONDS)
            raise NotStarted(error.reason, error.message, first) from error
        self._failed.pop(image, None)
        took = f"{(time.monotonic() - began) * 1000:.0f}ms"
        self._took(f"{name} pulled", began)
        message = (
            f'Successfully pulled image "{image}" in {took} ({took} including waiting). Image size: {found.size} bytes.'
        )
        self._shared.event(pod, "Normal", "Pulled", message, name)

    def _hold_back(self, pod: Obj, image: str, name: str) -> None:
        """After a failed pull: ErrImagePull for a moment, then ImagePullBackOff until the next attempt."""
        if image not in self._failed:
            return
        failed_at, message = self._failed[image]
        now, due = time.time(), self._pulls.until(image, failed_at)
        if now >= due:
            return
        first = failed_at + min((due - failed_at) / 2, _SHOW_FIRST_SECONDS)
        if now < first - 0.01:
            raise NotStarted("ErrImagePull", message, first - now)
        text = f'Back-off pulling image "{image}"'
        self._shared.event(pod, "Normal", "BackOff", text, name)
        self._shared.event(pod, "Warning", "Failed", "Error: ImagePullBackOff", name)
        raise NotStarted("ImagePullBackOff", f"{text}: ErrImagePull: {message}", due - now)


def go_duration(seconds: float) -> str:
    """10s, 1m20s, 5m0s: as Go prints a duration of whole seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def crash_loop(pod: Obj, name: str, delay: float) -> tuple[str, str]:
    """The state of a container whose restart is held back."""
    text = f"back-off {go_duration(delay)} restarting failed container={name} pod={podspec.key(pod)}"
    return "CrashLoopBackOff", text
