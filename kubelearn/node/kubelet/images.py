"""Have a container's image on the node, by its pull policy; and hold back what could not be pulled."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from kubelearn.api.cri import CriError, Image
from kubelearn.api.resource import Obj
from kubelearn.node.cri_client import UNAVAILABLE
from kubelearn.node.kubelet.backoff import Backoff
from kubelearn.node.kubelet.shared import Shared

_SHOW_FIRST_SECONDS = 5.0
_INVALID_SECONDS = 10.0
# The grammar of github.com/distribution/reference.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.[a-zA-Z0-9-]+)*(?::[0-9]+)?"
_NAME = re.compile(
    rf"(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::[\w][\w.-]{{0,127}})?(?:@[A-Za-z][\w.+-]*:[0-9a-fA-F]{{32,}})?"
)


class NotStarted(Exception):
    """The container waits: `reason` and `message` are its state, `again` when it may be tried (seconds from now)."""

    def __init__(self, reason: str, message: str, again: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.again = again


class Images:
    """One pod's: keeps its pull back-off. `took(what, began)` hears how long a pull took."""

    def __init__(self, shared: Shared, took: Callable[[str, float], None]) -> None:
        self._shared = shared
        self._took = took
        self._pulls = Backoff()
        self._failed: dict[str, tuple[float, str]] = {}

    async def have(self, pod: Obj, spec: Obj) -> Image:
        """Have the image here, by the container's pull policy."""
        image, name = spec["image"], spec["name"]
        if problem := problem_of(image):
            self._shared.event(pod, "Warning", "InspectFailed", problem, name)
            self._shared.event(pod, "Warning", "Failed", "Error: InvalidImageName", name)
            raise NotStarted("InvalidImageName", problem, _INVALID_SECONDS)
        policy = spec.get("imagePullPolicy", "IfNotPresent")
        present = None if policy == "Always" else await self._shared.cri.image_status(image)
        if present is not None:
            message = f'Container image "{image}" already present on machine and can be accessed by the pod'
            self._shared.event(pod, "Normal", "Pulled", message, name)
            return present
        if policy == "Never":
            text = f'Container image "{image}" is not present with pull policy of Never'
            self._shared.event(pod, "Warning", "ErrImageNeverPull", text, name)
            self._shared.event(pod, "Warning", "Failed", "Error: ErrImageNeverPull", name)
            raise NotStarted("ErrImageNeverPull", text, 10.0)
        self._hold_back(pod, image, name)
        return await self._pull(pod, image, name)

    async def _pull(self, pod: Obj, image: str, name: str) -> Image:
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
        return found

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


def problem_of(image: str) -> str:
    """Why this is no image's name, in the kubelet's words; empty if it is one."""
    if _NAME.fullmatch(image):
        return ""
    why = "invalid reference format"
    if _NAME.fullmatch(image.lower()):
        base = image.split("@", 1)[0]
        base = base.rpartition(":")[0] if ":" in base.rpartition("/")[2] else base
        first, slash, rest = base.partition("/")
        if not slash:
            base = "library/" + base
        elif "." in first or ":" in first or first == "localhost":
            base = rest
        why += f": repository name ({base}) must be lowercase"
    return f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {why}'
