"""`resourceVersion` and `resourceVersionMatch` of reads: what may be asked for together, and what is too new.

Source: the Kubernetes documentation of resource versions, and the validation of ListOptions in apimachinery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelearn.api import errors
from kubelearn.api.errors import ApiError
from kubelearn.api.kind import FieldError
from kubelearn.apiserver import selection
from kubelearn.client.transport import Request

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

_EXACT, _NOT_OLDER = "Exact", "NotOlderThan"
_MATCH = "resourceVersionMatch"


def revision(request: Request) -> int:
    """The `resourceVersion` asked for, 0 if none or any; raises ApiError 400."""
    given = request.param("resourceVersion")
    return selection.revision(given) if given else 0


def not_older(server: ApiServer, wanted: int) -> None:
    """Reads answer with the newest; raises ApiError 504 for what has not been written yet."""
    if wanted > server.store.revision:
        raise too_large(wanted, server.store.revision)


def too_large(wanted: int, current: int) -> ApiError:
    late = errors.timeout(f"Timeout: Too large resource version: {wanted}, current: {current}", 1)
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    late.details = {"causes": [cause], "retryAfterSeconds": 1}
    late.headers = {"Retry-After": "1"}
    return late


def check_list(request: Request) -> None:
    """Raises ApiError 422."""
    match, problems = request.param(_MATCH), []
    if match:
        if not request.param("resourceVersion"):
            problems.append(_forbidden(f"{_MATCH} is forbidden unless resourceVersion is provided"))
        if request.param("continue"):
            problems.append(_forbidden(f"{_MATCH} is forbidden when continue is provided"))
        if match not in (_EXACT, _NOT_OLDER):
            problems.append(_unsupported(match, f'"{_EXACT}", "{_NOT_OLDER}", ""'))
        if match == _EXACT and request.param("resourceVersion") == "0":
            problems.append(_forbidden(f'{_MATCH} "exact" is forbidden for resourceVersion "0"'))
    if request.params("sendInitialEvents"):
        problems.append(_forbidden("sendInitialEvents is forbidden for list", "sendInitialEvents"))
    _refuse(problems)


def check_watch(request: Request) -> None:
    """Raises ApiError 422."""
    match, initial, problems = request.param(_MATCH), bool(request.params("sendInitialEvents")), []
    if initial and match != _NOT_OLDER:
        problems.append(_forbidden(f"sendInitialEvents requires setting {_MATCH} to {_NOT_OLDER}"))
    if match:
        if not initial:
            problems.append(_forbidden(f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided"))
        if match != _NOT_OLDER:
            problems.append(_unsupported(match, f'"{_NOT_OLDER}"'))
        if request.param("continue"):
            problems.append(_forbidden(f"{_MATCH} is forbidden when continue is provided"))
    _refuse(problems)


def _forbidden(why: str, field: str = _MATCH) -> FieldError:
    return FieldError(field, "FieldValueForbidden", f"Forbidden: {why}")


def _unsupported(value: str, known: str) -> FieldError:
    text = f'Unsupported value: "{value}": supported values: {known}'
    return FieldError(_MATCH, "FieldValueNotSupported", text)


def _refuse(problems: list[FieldError]) -> None:
    if problems:
        raise errors.invalid("meta.k8s.io", "ListOptions", "", problems)
