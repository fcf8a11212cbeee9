"""How long a request may take: `?timeout=` of the client, a minute at most; what runs long by its nature is exempt.

Source: apiserver's request deadline and long-running filters.
"""

from __future__ import annotations

import re

from kubelearn.api import errors
from kubelearn.api.errors import ApiError
from kubelearn.apiserver.routing import Route
from kubelearn.client.transport import Request

MAXIMUM = 60.0
_LONG_SUBRESOURCES = ("attach", "exec", "proxy", "log", "portforward")
_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def runs_long(request: Request) -> bool:
    """Watches, logs and what is relayed to a pod."""
    if request.param("watch") in ("1", "true") and request.method == "GET":
        return True
    if not request.path.startswith("/api") or not any(f"/{word}" in request.path for word in _LONG_SUBRESOURCES):
        return False
    return request.path.count("/") > 4 and Route.of(request).subresource in _LONG_SUBRESOURCES


def seconds(request: Request) -> float:
    """Raises ApiError 400 for a timeout that is no duration; none, and more than the maximum, are the maximum."""
    given = request.param("timeout")
    if not given:
        return MAXIMUM
    try:
        wanted = duration(given)
    except ValueError as error:
        raise errors.bad_request(f"invalid timeout specified in the request URL - {error}") from error
    return wanted if 0 < wanted < MAXIMUM else MAXIMUM


def exceeded() -> ApiError:
    return errors.timeout("Timeout: request did not complete within requested timeout - context deadline exceeded")


def duration(text: str) -> float:
    """Seconds of Go's notation (`1m30s`); raises ValueError in the words of Go's time.ParseDuration."""
    sign, rest = (-1 if text.startswith("-") else 1), text.lstrip("+-") if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0.0
    total, at = 0.0, 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if part is None:
            break
        if not part[2]:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if part[2] not in _UNITS:
            raise ValueError(f'time: unknown unit "{part[2]}" in duration "{text}"')
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    if not rest or at < len(rest):
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * total
