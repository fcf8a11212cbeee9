"""Lists: pages at one revision, selections, the past; spliced from stored bytes."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import orjson

from kubelearn.api import errors
from kubelearn.api.kind import Kind
from kubelearn.apiserver import codec, keys, listversions, selection
from kubelearn.client.transport import Request
from kubelearn.store.interface import Compacted, FutureRevision, KeyValue, RangeResult

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer


_EXPIRED = "The resourceVersion for the provided list is too old."
_INCONSISTENT = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)
_BATCH = 256
#: In a continue token: go on at the newest revision, since the one of the first page is gone.
_NEWEST = -1


async def list_objects(
    server: ApiServer, request: Request, kind: Kind, namespace: str, actor: str
) -> tuple[list[KeyValue], dict[str, Any]]:
    """The selected items and the list's metadata. Raises ApiError 400, 410, 422 or 504."""
    chosen = selection.of(request, kind)
    limit = max(selection.number(request, "limit"), 0)
    listversions.check_list(request)
    revision, after = _start(server, request, actor, limit)
    root = keys.prefix(kind.resource, namespace)
    found = await _range(server, root, after, limit, revision)
    about: dict[str, Any] = {"resourceVersion": str(found.revision)}
    items = await _select(chosen, found.items)
    while found.remaining and len(items) < limit:  # a page of a selection is as long as any other
        found = await _range(server, root, found.items[-1].key, limit, found.revision)
        items += await _select(chosen, found.items)
    if found.remaining or len(items) > limit > 0:
        last = items[limit - 1] if len(items) >= limit else found.items[-1]
        about["continue"] = _token(found.revision, last.key)
        if chosen.everything:
            about["remainingItemCount"] = found.remaining
    return items[:limit] if limit else items, about


async def _select(chosen: selection.Selection, found: list[KeyValue]) -> list[KeyValue]:
    if chosen.everything:
        return found
    selected: list[KeyValue] = []
    async for batch in batches(found):
        selected += [kv for kv in batch if chosen.matches(codec.decode(kv))]
    return selected


async def batches(found: list[KeyValue]) -> AsyncIterator[list[KeyValue]]:
    """What was found, a piece at a time: others have their turn between two, and only one is decoded at a time."""
    for start in range(0, len(found), _BATCH):
        if start:
            await asyncio.sleep(0)
        yield found[start : start + _BATCH]


async def _range(server: ApiServer, root: str, after: str, limit: int, revision: int) -> RangeResult:
    try:
        return await server.store.range(root, after=after, limit=limit, revision=max(revision, 0))
    except Compacted as error:
        expired = errors.expired(_INCONSISTENT if after else _EXPIRED)
        expired.list_continue = _token(_NEWEST, after) if after else ""
        raise expired from error
    except FutureRevision as error:
        raise listversions.too_large(revision, error.current) from error


def _token(revision: int, key: str) -> str:
    token = {"v": "meta.k8s.io/v1", "rv": revision, "start": key}
    return base64.urlsafe_b64encode(orjson.dumps(token)).decode()


def _start(server: ApiServer, request: Request, actor: str, limit: int) -> tuple[int, str]:
    """The revision to list at (0: now) and the key to start after."""
    given = listversions.revision(request)
    token = request.param("continue")
    if token:
        if given:
            raise errors.bad_request("specifying resource version is not allowed when using continue")
        try:
            start = orjson.loads(base64.urlsafe_b64decode(token))
            return int(start["rv"]), str(start["start"])
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise errors.bad_request(f"continue key is not valid: {error}") from error
    match = request.param("resourceVersionMatch")
    if given and (match == "Exact" or (limit and not match)):
        return given, ""
    listversions.not_older(server, given)
    held = server.gate.shown_revision(actor) if actor else None
    return held or 0, ""


async def list_body(kind: Kind, items: list[KeyValue], about: dict[str, Any]) -> bytes:
    """The List as JSON, spliced from stored bytes; items do not repeat the kind, as in Kubernetes."""
    resource = kind.resource
    head = orjson.dumps({"kind": resource.kind, "apiVersion": resource.api_version})[:-1] + b","
    parts = []
    async for batch in batches(items):
        for kv in batch:
            data = codec.splice(kv)
            parts.append(b"{" + data[len(head) :] if data.startswith(head) else data)
    start = {"kind": resource.kind + "List", "apiVersion": resource.api_version, "metadata": about}
    return orjson.dumps(start)[:-1] + b',"items":[' + b",".join(parts) + b"]}"
