"""etcd's v3 API by its JSON gateway: requests, the watch stream, and what fails on the way.

The gateway speaks the same protocol as gRPC (keys and values in base64, 64-bit numbers as text, zeroes left out), needs
no compiled client, and is part of every etcd since 3.4. Source: etcd's api_grpc_gateway documentation.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import orjson

from kubelearn.store.interface import KeyValue, StoreError

#: All keys, as key and range_end.
EVERYTHING = {"key": "AA==", "range_end": "AA=="}
_ANSWER_SECONDS = 10.0
_CONNECT_SECONDS = 3.0
#: A member that ended is started again in less.
_PATIENCE_SECONDS, _RETRY_SECONDS = 3.0, 0.1


class EtcdApi:
    """`endpoints` are URLs, tried in turn and for a while. All methods raise StoreError when none answers."""

    def __init__(self, endpoints: Sequence[str], tls: ssl.SSLContext | None = None) -> None:
        self._endpoints = [endpoint.rstrip("/") for endpoint in endpoints]
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._tls or True)
        self._session = aiohttp.ClientSession(connector=connector, json_serialize=_dumps)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """`kv/range`, `kv/txn`, `kv/compaction`: the answer, or StoreError with etcd's message."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS, sock_connect=_CONNECT_SECONDS)
        async with await self._post(method, body, timeout) as response:
            try:
                found = orjson.loads(await response.read())
            except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
                raise self._silent(error) from error
        if "error" in found:
            raise StoreError(str(found["error"]))
        return dict(found)

    async def watch(self, start_revision: int) -> AsyncIterator[dict[str, Any]]:
        """Watch responses for every key; ends, or raises StoreError, when the connection does."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
        body = {"create_request": {**EVERYTHING, "start_revision": str(start_revision)}}
        async with await self._post("watch", body, timeout) as response:
            buffer = bytearray()
            try:
                async for chunk in response.content.iter_any():
                    buffer += chunk
                    *lines, rest = buffer.split(b"\n")
                    buffer = bytearray(rest)
                    for line in lines:
                        if line:
                            yield _result(orjson.loads(line))
            except aiohttp.ClientError as error:
                raise self._silent(error) from error

    async def _post(self, method: str, body: dict[str, Any], timeout: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        if self._session is None:
            raise StoreError("the store is not open")
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            failure: Exception | None = None
            for endpoint in list(self._endpoints):
                try:
                    return await self._session.post(f"{endpoint}/v3/{method}", json=body, timeout=timeout)
                except aiohttp.ClientConnectorError as error:
                    failure = error  # nothing was sent, so another member may be asked, or this one again
                    self._endpoints.append(self._endpoints.pop(0))
                except (aiohttp.ClientError, TimeoutError) as error:
                    raise self._silent(error) from error
            if time.monotonic() > give_up:
                raise self._silent(failure) from failure
            await asyncio.sleep(_RETRY_SECONDS)

    def _silent(self, error: Exception | None) -> StoreError:
        return StoreError(f"etcd at {', '.join(self._endpoints)} does not answer: {error or type(error).__name__}")


def _dumps(body: Any) -> str:
    return orjson.dumps(body).decode()


def _result(line: dict[str, Any]) -> dict[str, Any]:
    if "result" not in line:
        raise StoreError(f"etcd ended the watch: {line.get('error')}")
    return dict(line["result"])


def encode(data: bytes | str) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def key_value(kv: dict[str, Any], cause: bytes = b"") -> KeyValue:
    create, mod = (int(kv.get(name, 0)) for name in ("create_revision", "mod_revision"))
    return KeyValue(key_of(kv), base64.b64decode(kv.get("value", "")), create, mod, cause)


def key_of(kv: dict[str, Any]) -> str:
    return base64.b64decode(kv["key"]).decode()


def prefix_range(prefix: str) -> dict[str, str]:
    end = prefix.encode()
    return {"key": encode(prefix), "range_end": encode(end[:-1] + bytes([end[-1] + 1]))}
