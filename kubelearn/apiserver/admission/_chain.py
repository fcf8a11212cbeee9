"""All admission plugins in their order."""

from __future__ import annotations

from functools import cache

from kubelearn.apiserver.admission._base import Admission, Attempt
from kubelearn.kit.discover import discover


@cache
def _plugins() -> tuple[Admission, ...]:
    found = discover("kubelearn.apiserver.admission", "ADMISSION", Admission).values()
    return tuple(sorted(found, key=lambda plugin: plugin.order))


async def admit(attempt: Attempt) -> None:
    """What plugins fill in, or refuse at once. Raises ApiError."""
    for plugin in _plugins():
        await plugin.admit(attempt)


async def validate(attempt: Attempt) -> None:
    """What plugins have against a valid object. Raises ApiError."""
    for plugin in _plugins():
        if plugin.of_status or attempt.subresource not in ("status", "finalize"):
            await plugin.validate(attempt)


async def remove(attempt: Attempt) -> None:
    """What plugins have against a deletion. Raises ApiError."""
    for plugin in _plugins():
        await plugin.remove(attempt)
