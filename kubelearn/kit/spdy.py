"""Just enough SPDY/3.1 to be the server of exec, attach and port-forward, bare or tunnelled through a WebSocket.

Pure: bytes in, frames out, and back. Streams carry headers (`streamtype`, `port`, `requestid`) and data; there is no
flow control, as in the library that Kubernetes uses. Source: the SPDY draft 3.1.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
#: The draft's compression dictionary: frequent header words with their lengths, then frequent values.
DICTIONARY = b"".join(struct.pack("!I", len(w)) + w.replace("_", " ").encode() for w in _WORDS.split()) + _TEXT.encode()

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
DATA = 0
_FIN = 1
_CONTROL = 0x80


@dataclass(frozen=True, slots=True)
class Frame:
    """`kind` is DATA or a control type; `last` says that the sender's half of the stream ends."""

    kind: int
    stream: int
    data: bytes = b""
    last: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class Connection:
    """One side of a connection: `feed` what arrives, send what the other methods give."""

    def __init__(self) -> None:
        self._unread = b""
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Raises ValueError for what is not SPDY/3."""
        self._unread += data
        while len(self._unread) >= 8:
            flags, size = self._unread[4], int.from_bytes(self._unread[5:8], "big")
            if len(self._unread) < 8 + size:
                return
            head, body = self._unread[:4], self._unread[8 : 8 + size]
            self._unread = self._unread[8 + size :]
            yield self._frame(head, flags, body)

    def _frame(self, head: bytes, flags: int, body: bytes) -> Frame:
        last = bool(flags & _FIN)
        if not head[0] & _CONTROL:
            return Frame(DATA, int.from_bytes(head, "big"), body, last)
        version, kind = struct.unpack("!HH", head)
        if version != 0x8003:
            raise ValueError("not SPDY/3")
        stream = int.from_bytes(body[:4], "big") if len(body) >= 4 else 0
        if kind in (SYN_STREAM, SYN_REPLY):
            return Frame(kind, stream, b"", last, self._headers(body[10 if kind == SYN_STREAM else 4 :]))
        return Frame(kind, stream, body, last)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._inflate.decompress(block)
        except zlib.error as error:
            raise ValueError(f"damaged headers: {error}") from error
        at, found = 4, {}
        for _ in range(int.from_bytes(text[:4], "big")):
            pair = []
            for _ in range(2):
                size = int.from_bytes(text[at : at + 4], "big")
                pair.append(text[at + 4 : at + 4 + size].decode(errors="replace"))
                at += 4 + size
            found[pair[0].lower()] = pair[1]
        return found

    def _block(self, headers: dict[str, str]) -> bytes:
        text = struct.pack("!I", len(headers))
        for pair in headers.items():
            for part in pair:
                text += struct.pack("!I", len(part)) + part.encode()
        return self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def open(self, stream: int, headers: dict[str, str], *, last: bool = False) -> bytes:
        body = struct.pack("!IIH", stream, 0, 0) + self._block(headers)
        return _control(SYN_STREAM, body, _FIN if last else 0)

    def reply(self, stream: int) -> bytes:
        return _control(SYN_REPLY, struct.pack("!I", stream) + self._block({}))

    @staticmethod
    def data(stream: int, data: bytes, *, last: bool = False) -> bytes:
        return struct.pack("!I", stream) + bytes([_FIN if last else 0]) + len(data).to_bytes(3, "big") + data

    @staticmethod
    def pong(ping: Frame) -> bytes:
        return _control(PING, ping.data)

    @staticmethod
    def reset(stream: int) -> bytes:
        return _control(RST_STREAM, struct.pack("!II", stream, 5))


def _control(kind: int, body: bytes, flags: int = 0) -> bytes:
    return struct.pack("!HH", 0x8003, kind) + bytes([flags]) + len(body).to_bytes(3, "big") + body
