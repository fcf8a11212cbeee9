"""What all pod workers of a node have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kubelearn.api.cri import RuntimeService
from kubelearn.api.resource import Obj
from kubelearn.client.events import EventRecorder
from kubelearn.client.rest import Client
from kubelearn.kit.tasks import Tasks
from kubelearn.node.config import NodeConfig
from kubelearn.node.kubelet.configs import Configs
from kubelearn.node.kubelet.handlers import Handlers
from kubelearn.node.kubelet.runtime_state import RuntimeState


@dataclass(frozen=True, slots=True)
class Shared:
    """`services` are those whose variables a pod of that namespace gets."""

    config: NodeConfig
    client: Client
    cri: RuntimeService
    state: RuntimeState
    recorder: EventRecorder
    configs: Configs
    handlers: Handlers
    tasks: Tasks
    services: Callable[[str], Iterable[Obj]]

    def event(self, pod: Obj, type_: str, reason: str, message: str, container: str = "") -> None:
        """Recorded in the background: a pod does not wait for its events."""
        parts = ("initContainers", "ephemeralContainers")
        part = next((p for p in parts if any(c["name"] == container for c in pod["spec"].get(p) or ())), "containers")
        path = f"spec.{part}{{{container}}}" if container else ""
        about = {"apiVersion": "v1", "kind": "Pod", **pod}
        self.tasks.start(
            self.recorder.event(about, type_, reason, message, field_path=path), f"event/{pod['metadata']['name']}"
        )
