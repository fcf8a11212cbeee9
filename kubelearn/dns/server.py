"""The cluster's DNS server: UDP and TCP, records from informers, everything else to the machine's own resolvers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections.abc import Iterable
from pathlib import Path

from dnslib import CNAME, QTYPE, RCODE, RR, SRV, A, DNSError, DNSRecord

from kubelearn.api.resource import Obj, Resource
from kubelearn.client.informer import Informer
from kubelearn.client.rest import Client
from kubelearn.dns.records import Answer, Zone
from kubelearn.kit.tasks import Tasks

log = logging.getLogger(__name__)

_TTL = 5
_UDP_SIZE = 1232
_UPSTREAM_SECONDS = 2.0
_SERVICES = Resource("", "v1", "Service", "services", "service", True)
_SLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", True)
_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", "namespace", False)


def upstreams(path: Path = Path("/etc/resolv.conf")) -> list[str]:
    """The machine's own resolvers, none if it has none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return []
    return [words[1] for line in lines if len(words := line.split()) > 1 and words[0] == "nameserver"]


class DnsServer:
    """`serve` may be called for several addresses; `close` ends all."""

    def __init__(self, client: Client, domain: str, forward_to: list[str] | None = None) -> None:
        self._tasks = Tasks("dns")
        self._services = Informer(client, _SERVICES)
        self._slices = Informer(client, _SLICES)
        self._namespaces = Informer(client, _NAMESPACES)
        self._slices.add_index("service", _service_of)
        self._zone = Zone(domain, self._services.get, self._slices_of, self._has_namespace)
        self._upstreams = upstreams() if forward_to is None else forward_to
        self._transports: list[asyncio.DatagramTransport] = []
        self._servers: list[asyncio.Server] = []
        self._started = False

    def _slices_of(self, namespace: str, name: str) -> Iterable[Obj]:
        return self._slices.by_index("service", f"{namespace}/{name}")

    def _has_namespace(self, name: str) -> bool:
        return self._namespaces.get("", name) is not None

    async def serve(self, host: str, port: int) -> None:
        """Answer on an address, both UDP and TCP; raises OSError when it cannot be had."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=(host, port))
        try:
            server = await asyncio.start_server(self._connection, host, port)
        except OSError:
            transport.close()
            raise
        self._transports.append(transport)
        self._servers.append(server)
        if not self._started:
            self._started = True
            for informer in (self._services, self._slices, self._namespaces):
                informer.start(self._tasks)

    async def close(self) -> None:
        for transport in self._transports:
            transport.close()
        for server in self._servers:
            server.close()
        await self._tasks.close()

    def answer_soon(self, transport: asyncio.DatagramTransport, data: bytes, sender: tuple[str, int]) -> None:
        async def answer() -> None:
            reply = await self.answer(data)
            if reply is not None and not transport.is_closing():
                if len(reply) > _UDP_SIZE:
                    reply = _truncated(reply)
                transport.sendto(reply, sender)

        self._tasks.start(answer(), "query")

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                reply = await self.answer(await reader.readexactly(size))
                if reply is None:
                    break
                writer.write(struct.pack("!H", len(reply)) + reply)
                await writer.drain()
        writer.close()

    async def answer(self, data: bytes) -> bytes | None:
        """The reply to a query, None for what is no query."""
        try:
            query = DNSRecord.parse(data)
        except (DNSError, struct.error, IndexError, ValueError):
            return None
        if query.header.qr or not query.questions:
            return None
        name = str(query.q.qname)
        if self._zone.covers(name):
            for informer in (self._services, self._slices, self._namespaces):
                await informer.synced()
            return _reply(query, self._zone.look_up(name))
        return await self._forward(data) or _failure(query)

    async def _forward(self, data: bytes) -> bytes | None:
        """Ask the machine's resolvers in turn; None when there is none or none answers."""
        for upstream in self._upstreams:
            with contextlib.suppress(OSError, TimeoutError):
                return await asyncio.wait_for(_ask(upstream, data), _UPSTREAM_SECONDS)
        return None


def _service_of(endpoints: Obj) -> list[str]:
    meta = endpoints["metadata"]
    name = meta.get("labels", {}).get("kubernetes.io/service-name")
    return [f"{meta['namespace']}/{name}"] if name else []


def _reply(query: DNSRecord, answer: Answer) -> bytes:
    reply = query.reply(aa=1)
    name, kind = query.q.qname, query.q.qtype
    if not answer.exists:
        reply.header.rcode = RCODE.NXDOMAIN
    if answer.cname:
        reply.add_answer(RR(name, QTYPE.CNAME, ttl=_TTL, rdata=CNAME(answer.cname)))
    if kind in (QTYPE.A, QTYPE.ANY):
        for address in answer.addresses:
            reply.add_answer(RR(name, QTYPE.A, ttl=_TTL, rdata=A(address)))
    if kind in (QTYPE.SRV, QTYPE.ANY):
        for service in answer.services:
            reply.add_answer(RR(name, QTYPE.SRV, ttl=_TTL, rdata=SRV(0, 100, service.port, service.target)))
    return bytes(reply.pack())


def _failure(query: DNSRecord) -> bytes:
    reply = query.reply()
    reply.header.rcode = RCODE.SERVFAIL
    return bytes(reply.pack())


def _truncated(reply: bytes) -> bytes:
    record = DNSRecord.parse(reply)
    record.rr = []
    record.header.tc = 1
    return bytes(record.pack())


async def _ask(server: str, data: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    received: asyncio.Future[bytes] = loop.create_future()

    class Reply(asyncio.DatagramProtocol):
        def datagram_received(self, reply: bytes, _sender: object) -> None:
            if not received.done():
                received.set_result(reply)

        def error_received(self, error: Exception) -> None:
            if not received.done():
                received.set_exception(error)

    transport, _ = await loop.create_datagram_endpoint(Reply, remote_addr=(server, 53))
    try:
        transport.sendto(data)
        return await received
    finally:
        transport.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport) or hasattr(transport, "sendto")
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        assert self._transport is not None
        self._server.answer_soon(self._transport, data, sender)
