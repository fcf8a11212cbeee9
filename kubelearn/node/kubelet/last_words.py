"""Termination messages: what a container wrote to its terminationMessagePath, or else the end of its log."""

from __future__ import annotations

from kubelearn.api.cri import CriError
from kubelearn.api.resource import Obj
from kubelearn.node.cri_client import UNAVAILABLE
from kubelearn.node.kubelet import podspec
from kubelearn.node.kubelet.runtime_state import PodRuntime
from kubelearn.node.kubelet.shared import Shared

# Source: MaxContainerTerminationMessageLogLines and ...LogLength of pkg/kubelet/container.
_LOG_LINES = 80
_LOG_BYTES = 2048


class LastWords:
    """One pod's: asked for once per container life, when it has ended."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._heard: dict[str, str] = {}

    def of(self, container_id: str) -> str:
        return self._heard.get(container_id, "")

    async def hear(self, pod: Obj, runtime: PodRuntime) -> None:
        """Before the pod's status is written. Raises CriError when the runtime is out of reach."""
        specs = {c["name"]: c for c in podspec.every_container(pod)}
        ended = {c.id: c for c in runtime.containers if c.state == "EXITED" and c.started_at and c.name in specs}
        self._heard = {i: text for i, text in self._heard.items() if i in ended}
        for container in ended.values():
            if container.id not in self._heard:
                from_log = specs[container.name].get("terminationMessagePolicy") == "FallbackToLogsOnError"
                self._heard[container.id] = await self._ask(container.id, from_log and container.exit_code != 0)

    async def _ask(self, container_id: str, from_log: bool) -> str:
        cri = self._shared.cri
        try:
            text = await cri.termination_message(container_id)
            if text or not from_log:
                return text
            lines = [line.text async for line in cri.logs(container_id, tail=_LOG_LINES)]
        except CriError as error:
            if error.reason == UNAVAILABLE:
                raise
            return f"Error reading termination message: {error.message}" if error.reason != "NotFound" else ""
        return b"".join(lines)[-_LOG_BYTES:].decode(errors="replace")
