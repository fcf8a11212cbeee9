"""One call of grpc.health.v1.Health/Check, in as much HTTP/2 as that takes.

A gRPC library would be the agent's heaviest dependency. Nothing is compressed that we send, and of what the server sends
only its DATA is read: header blocks are skipped, so a refusal is known as such but its words are not.
"""

from __future__ import annotations

import asyncio
import struct

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_ACK = _END_STREAM = 1
_END_HEADERS = 4
_PADDED = 8
_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_MOST = 1 << 20


class Broken(Exception):
    """The server speaks no HTTP/2, or did not answer the call."""


async def check(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, authority: str, service: str, agent: str
) -> str:
    """The serving status, `SERVING` when all is well. Raises Broken, ConnectionError and IncompleteReadError."""
    writer.write(_PREFACE + _frame(_SETTINGS, 0, 0, b"") + _call(authority, service, agent))
    await writer.drain()
    body = b""
    while True:
        kind, flags, stream, payload = await _read(reader)
        if kind == _SETTINGS and not flags & _ACK:
            writer.write(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            writer.write(_frame(_PING, _ACK, 0, payload))
        elif kind == _GOAWAY or (kind == _RESET and stream == 1):
            raise Broken("the server closed the connection")
        elif kind == _DATA and stream == 1:
            body += payload[1 : len(payload) - payload[0]] if flags & _PADDED else payload
        if stream == 1 and kind in (_DATA, _HEADERS) and flags & _END_STREAM:
            return _status(body)


def _call(authority: str, service: str, agent: str) -> bytes:
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/grpc.health.v1.Health/Check",
        ":authority": authority,
        "content-type": "application/grpc",
        "te": "trailers",
        "user-agent": agent,
    }
    block = b"".join(b"\0" + _text(name) + _text(value) for name, value in headers.items())
    name = service.encode()
    request = b"\x0a" + _varint(len(name)) + name if name else b""
    message = struct.pack("!BI", 0, len(request)) + request
    return _frame(_HEADERS, _END_HEADERS, 1, block) + _frame(_DATA, _END_STREAM, 1, message)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


async def _read(reader: asyncio.StreamReader) -> tuple[int, int, int, bytes]:
    head = await reader.readexactly(9)
    size = int.from_bytes(head[:3], "big")
    if head[:4] == b"HTTP" or size > _MOST:
        raise Broken("the server does not speak HTTP/2")
    kind, flags, stream = struct.unpack("!BBI", head[3:])
    return kind, flags, stream & 0x7FFFFFFF, await reader.readexactly(size)


def _text(text: str) -> bytes:
    """An HPACK string, not Huffman coded (RFC 7541, 5.1 and 5.2)."""
    data = text.encode()
    if len(data) < 127:
        return bytes([len(data)]) + data
    return b"\x7f" + _varint(len(data) - 127) + data


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _status(body: bytes) -> str:
    """Of the one message of the answer; field 1 is the status, which is left out when it is 0."""
    if len(body) < 5:
        raise Broken("the server did not answer the health check")
    message = body[5 : 5 + int.from_bytes(body[1:5], "big")]
    number = message[1] if message[:1] == b"\x08" and len(message) > 1 else 0
    return _STATUSES[number] if number < len(_STATUSES) else str(number)
