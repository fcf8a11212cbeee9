"""Lists: pages at one revision, selections, the past; spliced from stored bytes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson

from kubelearn.api import errors
from kubelearn.api.kind import Kind
from kubelearn.apiserver import codec, keys, selection
from kubelearn.client.transport import Request
from kubelearn.store.interface import Compacted, FutureRevision, KeyValue, RangeResult

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer


async def list_objects(
    server: ApiServer, request: Request, kind: Kind, namespace: str, actor: str
) -> tuple[list[KeyValue], dict[str, Any]]:
    """The selected items and the list's metadata. Raises ApiError 400, 410 or 504."""
    chosen = selection.of(request, kind)
    limit = max(selection.number(request, "limit"), 0)
    revision, after = _start(server, request, actor)
    root = keys.prefix(kind.resource, namespace)
    found = await _range(server, root, after, limit, revision)
    about: dict[str, Any] = {"resourceVersion": str(found.revision)}
    items = found.items if chosen.everything else [kv for kv in found.items if chosen.matches(codec.decode(kv))]
    while found.remaining and len(items) < limit:  # a page of a selection is as long as any other
        found = await _range(server, root, found.items[-1].key, limit, found.revision)
        items += [kv for kv in found.items if chosen.matches(codec.decode(kv))]
    if found.remaining or len(items) > limit > 0:
        last = items[limit - 1] if len(items) >= limit else found.items[-1]
        token = {"v": "meta.k8s.io/v1", "rv": found.revision, "start": last.key}
        about["continue"] = base64.urlsafe_b64encode(orjson.dumps(token)).decode()
        if chosen.everything:
            about["remainingItemCount"] = found.remaining
    return items[:limit] if limit else items, about


async def _range(server: ApiServer, root: str, after: str, limit: int, revision: int) -> RangeResult:
    try:
        return await server.store.range(root, after=after, limit=limit, revision=revision)
    except Compacted as error:
        raise errors.expired(
            "The provided continue parameter is too old to display a consistent list result."
            if after
            else f"too old resource version: {revision} ({error.oldest})"
        ) from error
    except FutureRevision as error:
        late = errors.timeout(f"Too large resource version: {revision}, current: {error.current}", 1)
        late.details = {
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        }
        raise late from error


def _start(server: ApiServer, request: Request, actor: str) -> tuple[int, str]:
    """The revision to list at (0: now) and the key to start after."""
    token = request.param("continue")
    if token:
        try:
            start = orjson.loads(base64.urlsafe_b64decode(token))
            return int(start["rv"]), str(start["start"])
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise errors.bad_request(f"continue key is not valid: {error}") from error
    given = request.param("resourceVersion")
    revision = selection.revision(given) if given else 0
    if request.param("resourceVersionMatch") == "Exact" or revision > server.store.revision:
        return revision, ""
    held = server.gate.shown_revision(actor) if actor else None
    return held or 0, ""


def list_body(kind: Kind, items: list[KeyValue], about: dict[str, Any]) -> bytes:
    """The List as JSON, spliced from stored bytes; items do not repeat the kind, as in Kubernetes."""
    resource = kind.resource
    head = orjson.dumps({"kind": resource.kind, "apiVersion": resource.api_version})[:-1] + b","
    parts = []
    for kv in items:
        data = codec.splice(kv)
        parts.append(b"{" + data[len(head) :] if data.startswith(head) else data)
    start = {"kind": resource.kind + "List", "apiVersion": resource.api_version, "metadata": about}
    return orjson.dumps(start)[:-1] + b',"items":[' + b",".join(parts) + b"]}"
