"""LimitRanger: the defaults and bounds of a namespace's LimitRanges."""

from __future__ import annotations

from collections.abc import Callable

from kubelearn.api import errors, limits
from kubelearn.api.kinds import limitrange
from kubelearn.api.resource import Obj
from kubelearn.apiserver.admission._base import Admission, Attempt


async def _admit(attempt: Attempt) -> None:
    if attempt.creates("pods"):
        for found in await attempt.server.read_all(limitrange.RESOURCE, attempt.namespace):
            limits.fill(attempt.obj, found)


async def _validate(attempt: Attempt) -> None:
    """Raises ApiError 403."""
    check: Callable[[Obj, Obj], list[str]]
    if attempt.creates("pods"):
        check = limits.problems_of_pod
    elif attempt.resource.group_resource == "persistentvolumeclaims":
        check = limits.problems_of_claim
    else:
        return
    for found in await attempt.server.read_all(limitrange.RESOURCE, attempt.namespace):
        if wrong := check(attempt.obj, found):
            raise errors.forbidden(attempt.resource, attempt.name, limits.together(wrong))


ADMISSION = Admission(20, _admit, _validate)
