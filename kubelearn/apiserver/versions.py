"""Several versions of one stored object: requests come in as the version that they ask for, go through the server as
the one that is stored, and their answers are turned back.

A kind with a `conversion` is such another version (autoscaling/v1 of what is stored as autoscaling/v2, events.k8s.io's
Event of what is stored as core's). Keys, validation and watches know the stored kind only; what the caller decoded and
what it patches is its own version.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import orjson

from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj
from kubelearn.apiserver import bodies
from kubelearn.client.transport import Request, Response

if TYPE_CHECKING:
    from kubelearn.apiserver.call import Call


def asked(call: Call, kind: Kind) -> Kind:
    """The kind whose shape the caller's bodies have."""
    return call.version or kind


def to_stored(call: Call, obj: Obj) -> Obj:
    """A body as it is stored."""
    return call.version.conversion.to_stored(obj) if call.version and call.version.conversion else obj


def to_asked(call: Call, obj: Obj) -> Obj:
    """A stored object as the caller sees it."""
    return call.version.conversion.from_stored(obj) if call.version and call.version.conversion else obj


def decode(call: Call, kind: Kind) -> bodies.Decoded:
    """The object in the body, as it is stored; raises ApiError 400."""
    decoded = bodies.decode(call.request, asked(call, kind))
    return bodies.Decoded(to_stored(call, decoded.obj), decoded.warnings)


def selecting(request: Request, version: Kind) -> Request:
    """The request with the names of its field selector as the stored kind has them."""
    given = request.param("fieldSelector")
    renamed = version.conversion.field_names if version.conversion else {}
    if not given or not renamed:
        return request
    parts = []
    for part in given.split(","):
        name = part.partition("=")[0].rstrip("!=")
        parts.append(renamed.get(name, name) + part[len(name) :])
    query = [(k, ",".join(parts) if k == "fieldSelector" else v) for k, v in request.query]
    return Request(request.method, request.path, query, request.headers, request.body)


def answer(response: Response, stored: Kind, version: Kind) -> Response:
    """The answer in the version that was asked for; a Status stays what it is."""
    assert version.conversion is not None
    turn = _Turn(stored, version, version.conversion.from_stored)
    if response.stream is not None:
        return Response(response.status, response.headers, stream=_lines(response.stream, turn))
    if "json" not in response.headers.get("content-type", "") or not response.body:
        return response
    return Response(response.status, response.headers, orjson.dumps(turn(orjson.loads(response.body))))


async def _lines(stream: AsyncIterator[bytes], turn: Callable[[Obj], Obj]) -> AsyncIterator[bytes]:
    """A watch: one event a chunk."""
    try:
        async for line in stream:
            event = orjson.loads(line)
            event["object"] = turn(event["object"])
            yield orjson.dumps(event) + b"\n"
    finally:
        closer = getattr(stream, "aclose", None)
        if closer is not None:
            await closer()


class _Turn:
    """Objects, lists, tables and bookmarks of the stored kind become those of the other version."""

    def __init__(self, stored: Kind, version: Kind, convert: Callable[[Obj], Obj]) -> None:
        self._from, self._to, self._convert = stored.resource, version.resource, convert

    def __call__(self, obj: Obj) -> Obj:
        kind, version = obj.get("kind"), obj.get("apiVersion")
        if kind == "Table":
            for row in obj.get("rows") or ():
                if row.get("object"):
                    row["object"] = self(row["object"])
            return obj
        if version != self._from.api_version:
            return obj
        if kind == f"{self._from.kind}List":
            items = [self._item(item) for item in obj.get("items") or ()]
            return {**obj, "apiVersion": self._to.api_version, "items": items}
        if kind != self._from.kind:
            return obj
        if "name" not in obj.get("metadata", {}):  # a bookmark
            return {**obj, "apiVersion": self._to.api_version}
        return self._convert(obj)

    def _item(self, item: Obj) -> Obj:
        """Items of a list do not repeat their kind."""
        return {k: v for k, v in self._convert(item).items() if k not in ("kind", "apiVersion")}
