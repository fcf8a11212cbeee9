"""A pod's volumes on its node: written before the first container starts, and again when what they hold has changed."""

from __future__ import annotations

import asyncio
import time

from kubelearn.api.resource import Obj
from kubelearn.node.kubelet.shared import Shared
from kubelearn.node.kubelet.volumes import Files, Volumes

#: The kubelet's syncFrequency: how old a ConfigMap in a volume may be.
REFRESH_SECONDS = 60.0
#: A token is renewed when this much of its life has passed, or after a day. Source: pkg/kubelet/token.
_TOKEN_LIFE = 0.8
_TOKEN_SECONDS = 24 * 3600.0


class Mounter:
    """One pod's."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._written: dict[str, Files | None] | None = None
        self._tokens: dict[tuple[str, int], tuple[float, str]] = {}
        self._due = time.monotonic() + REFRESH_SECONDS

    @property
    def ready(self) -> bool:
        return self._written is not None

    def due_in(self) -> float:
        """Seconds until the volumes are to be looked at again."""
        return self._due - time.monotonic()

    async def content(self, pod: Obj) -> dict[str, Files | None]:
        """What is to be in the volumes. Raises MountError."""

        async def token(audience: str, seconds: int) -> str:
            renew, text = self._tokens.get((audience, seconds), (0.0, ""))
            if renew < time.monotonic():
                text = await self._shared.configs.token(pod, audience, seconds)
                renew = time.monotonic() + min(seconds * _TOKEN_LIFE, _TOKEN_SECONDS)
                self._tokens[audience, seconds] = renew, text
            return text

        namespace, configs = pod["metadata"]["namespace"], self._shared.configs
        return await Volumes(pod, lambda kind, name: configs.lookup(namespace, kind, name), token).content()

    async def write(self, pod: Obj, content: dict[str, Files | None]) -> None:
        """Have it on the node. Raises CriError."""
        before = self._written or {}
        changed = [name for name, files in content.items() if name not in before or before[name] != files]
        uid, cri = pod["metadata"]["uid"], self._shared.cri
        group = (pod["spec"].get("securityContext") or {}).get("fsGroup", -1)
        await asyncio.gather(*(cri.set_volume(uid, name, content[name], group) for name in changed))
        self._written = content
        self._due = time.monotonic() + REFRESH_SECONDS
