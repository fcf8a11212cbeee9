"""kube-proxy's userspace mode: a SOCKS client on one side, sockets on the loopback as pods on the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubelearn.dns.server import DnsServer
from kubelearn.kit.tasks import Tasks
from kubelearn.kit.underlay import SOCKS_PORT
from kubelearn.node.proxy import userspace
from kubelearn.node.resources import ENDPOINT_SLICES, SERVICES

from .conftest import OCTET, Node

POD, CALLER = f"10.{OCTET}.1.9", f"10.{OCTET}.1.8"


def endpoint_slice(service: str, port: int, *addresses: str) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": service, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [a], "conditions": {"ready": True}} for a in addresses],
        "ports": [{"name": "", "port": port, "protocol": "TCP"}],
    }


async def service(node: Node, name: str, port: int, target: int, *addresses: str, **spec: Any) -> dict[str, Any]:
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [{"port": port, "targetPort": target}], **spec},
    }
    made = await node.admin.create(SERVICES, body, "default")
    await node.admin.create(ENDPOINT_SLICES, endpoint_slice(name, target, *addresses), "default")
    return made


@pytest.fixture
async def world(node: Node) -> AsyncIterator[Node]:
    """Cluster DNS, a pod that says who calls it, and the proxy."""
    net = node.config.network

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(f"hello {writer.get_extra_info('peername')[0]}".encode())
        writer.close()

    dns = DnsServer(node.admin, "cluster.local", [])
    await dns.serve(*net.dial(f"10.{OCTET}.0.1", 53))
    await service(node, "kube-dns", 53, 53, f"10.{OCTET}.0.1", clusterIP="10.96.0.10")
    await service(node, "web", 80, 8080, POD)
    await service(node, "empty", 80, 8080)
    server = await asyncio.start_server(greet, *net.dial(POD, 8080))
    async with Tasks("proxy") as tasks:
        await userspace.run(node.admin, node.config, tasks)
        yield node
    server.close()
    await dns.close()


async def call(node: Node, host: str, port: int, *, who: tuple[str, str] = (CALLER, "default")) -> bytes | int:
    """What the other side says, or the SOCKS error code."""
    net = node.config.network
    reader, writer = await asyncio.open_connection(*net.dial(node.config.node_ip, 1080))
    user, password = (part.encode() for part in who)
    writer.write(b"\x05\x01\x02")
    assert await reader.readexactly(2) == b"\x05\x02"
    writer.write(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
    assert await reader.readexactly(2) == b"\x01\x00"
    writer.write(b"\x05\x01\x00\x03" + bytes([len(host)]) + host.encode() + port.to_bytes(2, "big"))
    answer = await reader.readexactly(10)
    try:
        if answer[1]:
            return answer[1]
        writer.write(b"hi\n")
        return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_names_services_and_addresses(world: Node) -> None:
    hello = f"hello {world.config.network.address(CALLER)}".encode()
    ip = (await world.admin.get(SERVICES, "web", "default"))["spec"]["clusterIP"]
    assert await call(world, "web", 80) == hello
    assert await call(world, "web.default.svc.cluster.local", 80) == hello
    assert await call(world, ip, 80) == hello
    assert await call(world, POD, 8080) == hello
    assert await call(world, "localhost", 8080, who=(POD, "default")) == (
        f"hello {world.config.network.address(POD)}".encode()
    )


async def test_refusals(world: Node) -> None:
    assert await call(world, "nobody", 80) == 4
    assert await call(world, "web", 80, who=(CALLER, "other")) == 4
    assert await call(world, "web.default", 80, who=(CALLER, "other")) != 4
    assert await call(world, "empty", 80) == 5
    assert await call(world, "web", 81) == 5
    assert await call(world, POD, 9) == 5
    assert await call(world, "localhost", 22, who=("", "")) == 5


async def test_node_ports_come_and_go(world: Node) -> None:
    made = await service(world, "out", 80, 8080, POD, type="NodePort")
    address = world.config.network.dial(world.config.node_ip, made["spec"]["ports"][0]["nodePort"])

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"hi\n")
        try:
            return await reader.read()
        finally:
            writer.close()

    async def until(open_: bool) -> None:
        async with asyncio.timeout(5):
            while True:
                try:
                    if (await ask()).startswith(b"hello") and open_:
                        return
                except ConnectionRefusedError:
                    if not open_:
                        return
                except ConnectionResetError:  # accepted just before the listener went
                    continue
                await asyncio.sleep(0.02)

    await until(True)
    await world.admin.delete(SERVICES, "out", "default")
    await until(False)


async def test_what_is_not_socks_is_hung_up_on(world: Node) -> None:
    reader, writer = await asyncio.open_connection(*world.config.network.dial(world.config.node_ip, SOCKS_PORT))
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
