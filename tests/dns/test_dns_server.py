"""Cluster DNS on the real API server, asked with real packets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import dnslib
import pytest

from kubelearn.api.resource import Resource
from kubelearn.apiserver.auth import Authenticator, Authorizer, User
from kubelearn.apiserver.server import ApiServer
from kubelearn.client.rest import Client
from kubelearn.dns.server import DnsServer
from kubelearn.store.memory import MemoryStore
from kubelearn.trace.gate import Gate

SERVICES = Resource("", "v1", "Service", "services", "service", True)
SLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def port() -> AsyncIterator[int]:
    store = MemoryStore()
    await store.open()
    server = ApiServer(store, Gate(), authenticator=Authenticator({}, "key"), authorizer=Authorizer())
    await server.start()
    client = Client(server.local(User("admin", ("system:masters",)), "test"))
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}]
    for name, spec in (
        ("web", {"clusterIP": "10.96.0.77", "ports": ports}),
        ("db", {"clusterIP": "None", "ports": ports}),
        ("out", {"type": "ExternalName", "externalName": "example.org"}),
    ):
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
        await client.create(SERVICES, body, "default")
    found: dict[str, Any] = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "db", "labels": {"kubernetes.io/service-name": "db"}},
        "addressType": "IPv4",
        "endpoints": [
            {"addresses": ["10.244.1.2"], "hostname": "db-0", "conditions": {"ready": True}},
            {"addresses": ["10.244.1.3"], "conditions": {"ready": True}},
            {"addresses": ["10.244.1.4"], "conditions": {"ready": False}},
        ],
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }
    await client.create(SLICES, found, "default")
    dns, number = DnsServer(client, "cluster.local", []), free_port()
    await dns.serve("127.0.0.1", number)
    yield number
    await dns.close()
    await server.close()
    await store.close()


async def ask(port: int, name: str, kind: str = "A") -> tuple[str, list[str]]:
    """The response code and the records' data, over TCP."""
    query = dnslib.DNSRecord.question(name, kind).pack()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(struct.pack("!H", len(query)) + query)
        async with asyncio.timeout(5):
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            reply = dnslib.DNSRecord.parse(await reader.readexactly(size))
    finally:
        writer.close()
    return str(dnslib.RCODE[reply.header.rcode]), sorted(str(record.rdata) for record in reply.rr)


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("web.default.svc.cluster.local", "A", ("NOERROR", ["10.96.0.77"])),
        ("WEB.Default.SVC.cluster.LOCAL", "A", ("NOERROR", ["10.96.0.77"])),
        ("web.default.svc.cluster.local", "AAAA", ("NOERROR", [])),
        ("db.default.svc.cluster.local", "A", ("NOERROR", ["10.244.1.2", "10.244.1.3"])),
        ("db-0.db.default.svc.cluster.local", "A", ("NOERROR", ["10.244.1.2"])),
        ("10-244-1-3.db.default.svc.cluster.local", "A", ("NOERROR", ["10.244.1.3"])),
        ("db-9.db.default.svc.cluster.local", "A", ("NXDOMAIN", [])),
        ("out.default.svc.cluster.local", "A", ("NOERROR", ["example.org."])),
        ("10-244-1-9.default.pod.cluster.local", "A", ("NOERROR", ["10.244.1.9"])),
        ("10-244-1-999.default.pod.cluster.local", "A", ("NXDOMAIN", [])),
        ("nobody.default.svc.cluster.local", "A", ("NXDOMAIN", [])),
        ("web.nowhere.svc.cluster.local", "A", ("NXDOMAIN", [])),
        ("default.svc.cluster.local", "A", ("NOERROR", [])),
        ("web.default.cluster.local", "A", ("NXDOMAIN", [])),
        ("_http._tcp.web.default.svc.cluster.local", "SRV", ("NOERROR", ["0 100 80 web.default.svc.cluster.local."])),
        ("_smtp._tcp.web.default.svc.cluster.local", "SRV", ("NXDOMAIN", [])),
    ],
)
async def test_answers(port: int, name: str, kind: str, wanted: tuple[str, list[str]]) -> None:
    assert await ask(port, name, kind) == wanted


async def test_udp_answers_too_and_garbage_is_ignored(port: int) -> None:
    loop = asyncio.get_running_loop()
    replies: asyncio.Queue[bytes] = asyncio.Queue()

    class Client(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _address: object) -> None:
            replies.put_nowait(data)

    transport, _ = await loop.create_datagram_endpoint(Client, remote_addr=("127.0.0.1", port))
    transport.sendto(b"nonsense")
    transport.sendto(dnslib.DNSRecord.question("web.default.svc.cluster.local").pack())
    async with asyncio.timeout(5):
        reply = dnslib.DNSRecord.parse(await replies.get())
    transport.close()
    assert str(reply.rr[0].rdata) == "10.96.0.77"
