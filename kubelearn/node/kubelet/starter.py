"""Make and start one container: image, environment, volumes, then the runtime; and why that did not work."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from kubelearn.api import quantity
from kubelearn.api.cri import ContainerConfig, CriError, Image, Sandbox, SandboxConfig, Security
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.transport import TransportError
from kubelearn.node.cri_client import UNAVAILABLE
from kubelearn.node.kubelet import env, podspec
from kubelearn.node.kubelet.images import Images, NotStarted
from kubelearn.node.kubelet.places import Place
from kubelearn.node.kubelet.security import Refused, refused_pod, security
from kubelearn.node.kubelet.shared import Shared
from kubelearn.node.kubelet.volumes import memory_volumes, mounts

_RETRY_SECONDS = 2.0


class Starter:
    """One pod's. Keeps how long each step took (milliseconds, for the trace)."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.timings: dict[str, float] = {}
        self._images = Images(shared, self._took)

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
            _dns_options(["ndots:5"] if cluster else [], extra.get("options") or ()),
            attempt,
            {name: alias["ip"] for alias in spec.get("hostAliases") or () for name in alias.get("hostnames") or ()},
            memory_volumes(pod),
            [c["name"] for c in podspec.every_container(pod)],
        )
        if problem := refused_pod(pod):
            raise CriError("FailedCreatePodSandBox", problem)
        began = time.monotonic()
        sandbox = await self._shared.cri.run_pod_sandbox(wanted)
        self._took("sandbox", began)
        return sandbox

    def _took(self, what: str, began: float) -> None:
        self.timings[what] = round((time.monotonic() - began) * 1000, 1)

    async def start(self, pod: Obj, spec: Obj, attempt: int, sandbox: Sandbox, places: Mapping[str, Place]) -> str:
        """The new container's id. Raises NotStarted, and CriError when the runtime cannot be reached."""
        name = spec["name"]
        image = await self._images.have(pod, spec)
        try:
            config = await self._config(pod, spec, attempt, sandbox.ip, image, places)
        except (env.ConfigError, Refused, ApiError, TransportError) as error:
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

    async def _config(
        self, pod: Obj, spec: Obj, attempt: int, pod_ip: str, image: Image, places: Mapping[str, Place]
    ) -> ContainerConfig:
        namespace, shared = pod["metadata"]["namespace"], self._shared
        variables = await env.environment(
            pod,
            spec,
            pod_ip,
            shared.config.node_ip,
            shared.services(namespace),
            lambda kind, name: shared.configs.lookup(namespace, kind, name),
            shared.config.capacity,
        )
        resources = spec.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        return ContainerConfig(
            spec["name"],
            spec["image"],
            [env.expand(word, variables) for word in spec.get("command") or ()],
            [env.expand(word, variables) for word in spec.get("args") or ()],
            spec.get("workingDir") or "",
            variables,
            mounts(pod, spec, variables, places),
            attempt,
            quantity.milli(limits["cpu"]) / 1000 if "cpu" in limits else 0.0,
            int(quantity.parse(limits["memory"])) if "memory" in limits else 0,
            bool(spec.get("tty")),
            bool(spec.get("stdin")),
            spec.get("terminationMessagePath") or "",
            quantity.milli(requests["cpu"]) / 1000 if "cpu" in requests else 0.0,
            self._security(pod, spec, image),
        )

    def _security(self, pod: Obj, spec: Obj, image: Image) -> Security:
        """Raises Refused; what `kubectl debug --target` names must run."""
        out = security(pod, spec, image)
        if target := spec.get("targetContainerName"):
            running = [c.id for c in self._shared.state.pod(pod["metadata"]["uid"]).running() if c.name == target]
            if not running:
                raise Refused(f'unable to find target container "{target}"')
            out.sees_processes_of = running[0]
        return out


def _dns_options(own: list[str], extra: Iterable[Obj]) -> list[str]:
    """The pod's own win over what its policy gives."""
    said = {o["name"]: f"{o['name']}:{o['value']}" if o.get("value") else o["name"] for o in extra}
    return [o for o in own if o.partition(":")[0] not in said] + list(said.values())


def go_duration(seconds: float) -> str:
    """10s, 1m20s, 5m0s: as Go prints a duration of whole seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def crash_loop(pod: Obj, name: str, delay: float) -> tuple[str, str]:
    """The state of a container whose restart is held back."""
    text = f"back-off {go_duration(delay)} restarting failed container={name} pod={podspec.key(pod)}"
    return "CrashLoopBackOff", text
