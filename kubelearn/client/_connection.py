"""One HTTP/1.1 connection: h11's state machine on an asyncio stream pair.

`http.HttpTransport` owns a pool of these; errors come out as OSError, EOFError or h11's, and are mapped there.
"""

from __future__ import annotations

import asyncio
import contextlib

import h11

_CHUNK = 256 * 1024


class Connection:
    """Send one request, read one response, and again while `reusable`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=256 * 1024)
        self.idle_since = 0.0

    async def send(self, head: h11.Request, body: bytes) -> None:
        parts = [self._http.send(head)]
        if body:
            parts.append(self._http.send(h11.Data(data=body)))
        parts.append(self._http.send(h11.EndOfMessage()))
        self._writer.write(b"".join(part for part in parts if part))
        await self._writer.drain()

    async def response(self) -> h11.Response:
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if type(event) is h11.ConnectionClosed:
                raise EOFError("the server closed the connection")

    async def data(self) -> bytes | None:
        """The next piece of the body, None at its end."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Data):
                return bytes(event.data)
            if isinstance(event, h11.EndOfMessage):
                return None
            raise EOFError("the server closed the connection")

    async def _event(self) -> h11.Event:
        while True:
            event = self._http.next_event()
            if not isinstance(event, type):
                return event
            if event is h11.PAUSED:
                raise EOFError("the server sent data unasked")
            received = await self._reader.read(_CHUNK)
            if not received and self._http.their_state is h11.SEND_RESPONSE:
                raise EOFError("the server closed the connection")
            self._http.receive_data(received)

    def reusable(self) -> bool:
        """Make ready for the next request; False if either side will not have another."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return self.alive()

    def alive(self) -> bool:
        return not self._writer.is_closing() and not self._reader.at_eof()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
