"""A pod's volumes on its node: written before the first container starts, and again when what they hold has changed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from kubelearn.api.cri import CriError
from kubelearn.api.resource import Obj
from kubelearn.node.kubelet.places import MountError, Place, places
from kubelearn.node.kubelet.shared import Shared
from kubelearn.node.kubelet.volumes import Files, Volumes

#: The kubelet's syncFrequency: how old a ConfigMap in a volume may be.
REFRESH_SECONDS = 60.0
#: A token is renewed when this much of its life has passed, or after a day. Source: pkg/kubelet/token.
_TOKEN_LIFE = 0.8
_TOKEN_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Content:
    """By volume name: what is in those that are the pod's own, and where those are that lie on the node's disk."""

    files: dict[str, Files | None]
    places: dict[str, Place]


class Mounter:
    """One pod's."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._written: Content | None = None
        self._tokens: dict[tuple[str, int], tuple[float, str]] = {}
        self._due = time.monotonic() + REFRESH_SECONDS

    @property
    def ready(self) -> bool:
        return self._written is not None

    @property
    def places(self) -> dict[str, Place]:
        return self._written.places if self._written else {}

    def due_in(self) -> float:
        """Seconds until the volumes are to be looked at again."""
        return self._due - time.monotonic()

    async def content(self, pod: Obj) -> Content:
        """What is to be in the volumes. Raises MountError."""

        async def token(audience: str, seconds: int) -> str:
            renew, text = self._tokens.get((audience, seconds), (0.0, ""))
            if renew < time.monotonic():
                text = await self._shared.configs.token(pod, audience, seconds)
                renew = time.monotonic() + min(seconds * _TOKEN_LIFE, _TOKEN_SECONDS)
                self._tokens[audience, seconds] = renew, text
            return text

        namespace, configs = pod["metadata"]["namespace"], self._shared.configs
        capacity = self._shared.config.capacity
        volumes = Volumes(pod, lambda kind, name: configs.lookup(namespace, kind, name), token, capacity)
        return Content(await volumes.content(), await places(pod, configs.find))

    async def write(self, pod: Obj, content: Content) -> None:
        """Have it on the node. Raises CriError, and MountError for a place that is not as the volume says."""
        before = self._written.files if self._written else {}
        changed = [name for name, files in content.files.items() if name not in before or before[name] != files]
        uid, cri = pod["metadata"]["uid"], self._shared.cri
        group = (pod["spec"].get("securityContext") or {}).get("fsGroup", -1)
        await asyncio.gather(*(cri.set_volume(uid, name, content.files[name], group) for name in changed))
        for name, place in content.places.items():
            if self.places.get(name) != place:
                await self._have(name, place)
        self._written = content
        self._due = time.monotonic() + REFRESH_SECONDS

    async def _have(self, name: str, place: Place) -> None:
        try:
            await self._shared.cri.have_host_path(place.path, place.type)
        except CriError as error:
            if error.reason != "FailedMount":
                raise
            raise MountError(f'MountVolume.SetUp failed for volume "{name}" : {error.message}') from error
