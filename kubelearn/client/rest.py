"""Requests to a Kubernetes API over any transport: the verbs, watches, tables, and errors as `ApiError`.

Every request carries the trace headers of what its task acts upon (`trace.cause`), so no caller has to think of it.
Objects are plain dictionaries as the server sent them; items of a list are given the `apiVersion` and `kind` that
the list implies, as kubectl's decoder does.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.pool import Pool
from kubelearn.client.transport import Request, Response, Transport, TransportError, WebSocket
from kubelearn.trace import cause

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
_METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"

Query = list[tuple[str, str]]
Body = bytes | Obj | list[Any]

#: What such an answer is then said to mean, whatever stands in it.
_WORDS = {
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}

#: Reasons that Kubernetes gives a status code when the answer is not a `Status` (a proxy's page, say).
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Gone",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """`type` is ADDED, MODIFIED, DELETED or BOOKMARK; ERROR is raised as ApiError instead."""

    type: str
    object: Obj


class Client:
    """A namespaced resource with an empty `namespace` means all namespaces, for list and watch;
    `create` and `update` then take the namespace of the object."""

    def __init__(self, transport: Transport, *, user_agent: str = "kubelearn", pool: Pool | None = None) -> None:
        """Informers of clients with the same `pool` share their objects."""
        self.transport = transport
        self.pool = Pool() if pool is None else pool
        self.user_agent = user_agent

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | tuple[()] = (),
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        about: str = "",
    ) -> Response:
        """Send one request. Raises ApiError for a status of 400 or more, TransportError when no answer came.

        `about` (`get pods`) is for the message when the server gives no reason of its own."""
        sent = {"accept": "application/json", "user-agent": self.user_agent}
        sent |= cause.headers(cause.current())
        if body is None:
            data = b""
        else:
            data = body if isinstance(body, bytes) else orjson.dumps(body)
            sent["content-type"] = "application/json"
        if headers:
            sent |= {name.lower(): value for name, value in headers.items()}
        response = await self.transport.send(Request(method, path, list(query), sent, data))
        if response.status >= 400:
            raise await error_of(response, about)
        return response

    async def _object(
        self,
        method: str,
        path: str,
        query: Query,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Obj:
        about = _about(method, path)
        response = await self.request(method, path, query=query, headers=headers, body=body, about=about)
        return decode(await whole(response))

    async def get(self, res: Resource, name: str, namespace: str = "", *, subresource: str = "", **query: Any) -> Obj:
        return await self._object("GET", res.path(namespace, name, subresource), parameters(query))

    async def list(
        self,
        res: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        metadata_only: bool = False,
        **query: Any,
    ) -> Obj:
        """The List object; with `limit` one page of it, `metadata.continue` then names the next.
        With `metadata_only`, only each object's metadata travels."""
        params = _selection(label_selector, field_selector, query)
        if limit:
            params.append(("limit", str(limit)))
        headers = {"accept": _METADATA_LIST} if metadata_only else None
        answer = await self._object("GET", res.path(namespace), params, None, headers)
        answer["items"] = [typed(res, item) for item in answer.get("items") or []]
        return answer

    async def create(
        self,
        res: Resource,
        obj: Obj,
        namespace: str = "",
        *,
        subresource: str = "",
        name: str = "",
        **query: Any,
    ) -> Obj:
        """POST; `name` is needed for a subresource (`pods/NAME/binding`) only."""
        space = namespace or obj.get("metadata", {}).get("namespace", "")
        return await self._object("POST", res.path(space, name, subresource), parameters(query), obj)

    async def update(self, res: Resource, obj: Obj, *, subresource: str = "", **query: Any) -> Obj:
        """PUT; the object's resourceVersion, if it has one, must be current."""
        meta = obj["metadata"]
        path = res.path(meta.get("namespace", ""), meta["name"], subresource)
        return await self._object("PUT", path, parameters(query), obj)

    async def patch(
        self,
        res: Resource,
        name: str,
        namespace: str,
        patch: Body,
        content_type: str = MERGE_PATCH,
        *,
        subresource: str = "",
        **query: Any,
    ) -> Obj:
        path = res.path(namespace, name, subresource)
        return await self._object("PATCH", path, parameters(query), patch, {"content-type": content_type})

    async def delete(
        self, res: Resource, name: str, namespace: str = "", *, options: Obj | None = None, **query: Any
    ) -> Obj:
        """`options` are DeleteOptions fields (gracePeriodSeconds, propagationPolicy, preconditions)."""
        return await self._object("DELETE", res.path(namespace, name), parameters(query), _delete_options(options))

    async def delete_collection(
        self,
        res: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        options: Obj | None = None,
        **query: Any,
    ) -> Obj:
        params = _selection(label_selector, field_selector, query)
        return await self._object("DELETE", res.path(namespace), params, _delete_options(options))

    async def watch(
        self,
        res: Resource,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        table: bool = False,
        metadata_only: bool = False,
        **query: Any,
    ) -> AsyncGenerator[WatchEvent, None]:
        """Changes until the server ends the stream. Raises ApiError (410: list again) and TransportError.

        With `table`, each object is a Table; the server sends column definitions with the first only."""
        params = _selection(label_selector, field_selector, query)
        params.append(("watch", "true"))
        if resource_version:
            params.append(("resourceVersion", resource_version))
        accept = _TABLE if table else _METADATA if metadata_only else "application/json"
        response = await self.request("GET", res.path(namespace), query=params, headers={"accept": accept})
        async with contextlib.aclosing(lines(response)) as found:
            async for line in found:
                event = decode(line)
                if event["type"] == "ERROR":
                    raise ApiError.from_status(event["object"])
                yield WatchEvent(event["type"], event["object"])

    async def table(
        self,
        res: Resource,
        namespace: str = "",
        name: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        subresource: str = "",
        **query: Any,
    ) -> Obj:
        """The server-side Table of one object or of a list."""
        params = _selection(label_selector, field_selector, query)
        path = res.path(namespace, name, subresource if name else "")
        return await self._object("GET", path, params, None, {"accept": _TABLE})

    async def websocket(self, path: str, query: Query | tuple[()] = (), protocols: tuple[str, ...] = ()) -> WebSocket:
        headers = {"user-agent": self.user_agent} | cause.headers(cause.current())
        return await self.transport.websocket(Request("GET", path, list(query), headers), protocols)

    async def close(self) -> None:
        await self.transport.close()


def parameters(query: Mapping[str, Any]) -> Query:
    """Keyword arguments as query parameters: booleans in lower case, sequences repeated, None left out."""
    out: Query = []
    for name, value in query.items():
        if value is None:
            continue
        for one in value if isinstance(value, list | tuple) else (value,):
            out.append((name, str(one).lower() if isinstance(one, bool) else str(one)))
    return out


def _selection(labels: str, fields: str, query: Mapping[str, Any]) -> Query:
    out = parameters(query)
    if labels:
        out.append(("labelSelector", labels))
    if fields:
        out.append(("fieldSelector", fields))
    return out


def _delete_options(options: Obj | None) -> Obj | None:
    return None if options is None else {"kind": "DeleteOptions", "apiVersion": "v1", **options}


def typed(res: Resource, item: Obj) -> Obj:
    """`item` with its apiVersion and kind, which the server leaves out inside lists (and a PartialObjectMetadata
    has of its own)."""
    if item.get("kind") == res.kind and "apiVersion" in item:
        return item
    named = {"apiVersion": res.api_version, "kind": res.kind}
    return {**named, **item, **named}


def decode(data: bytes) -> Obj:
    """Raises TransportError if the server's answer is not a JSON object."""
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise TransportError(f"the server's answer is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise TransportError("the server's answer is not a JSON object")
    return found


async def whole(response: Response) -> bytes:
    """The body, read to its end if it came as a stream."""
    if response.stream is None:
        return response.body
    return b"".join([chunk async for chunk in response.stream])


async def lines(response: Response) -> AsyncGenerator[bytes, None]:
    """The stream's lines, whatever way it was cut into chunks; closes the stream at the end."""
    if response.stream is None:
        for line in response.body.splitlines():
            if line.strip():
                yield line
        return
    rest = b""
    try:
        async for chunk in response.stream:
            *complete, rest = (rest + chunk).split(b"\n")
            for line in complete:
                if line.strip():
                    yield line
        if rest.strip():
            yield rest
    finally:
        await close_stream(response.stream)


async def close_stream(stream: AsyncIterator[bytes]) -> None:
    closer = getattr(stream, "aclose", None)
    if closer is not None:
        await closer()


def _about(method: str, path: str) -> str:
    """`post jobs.batch`, `get pods web-1`: a request as messages of Kubernetes' clients name it."""
    parts = path.strip("/").split("/")
    group = f".{parts[1]}" if parts[0] == "apis" else ""
    rest = parts[3:] if group else parts[2:]
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    return " ".join([method.lower(), f"{rest[0]}{group}", *rest[1:2]]) if rest else ""


async def error_of(response: Response, about: str = "") -> ApiError:
    """The failure that an answer of status ≥ 400 holds, in the words of Kubernetes' clients when it is no `Status`."""
    body = await whole(response)
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if isinstance(found, dict) and found.get("kind") == "Status":
        error = ApiError.from_status(found, response.status)
    else:
        text = body.decode(errors="replace").strip()
        fallback = _WORDS.get(response.status) or text or f"the server answered with HTTP status {response.status}"
        fallback += f" ({about})" if about else ""
        error = ApiError(response.status, _REASONS.get(response.status, ""), fallback)
    error.headers = dict(response.headers)
    return error
