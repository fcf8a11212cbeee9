"""kube-proxy for nodes without packet rewriting: a forward proxy that pods are told of, and listeners for NodePorts.

SOCKS5 (RFC 1928) on the node's own address. A program names its target; the proxy asks the cluster's DNS, turns a
Service's address into a ready pod's, and connects from the calling pod's address, so that the other side sees who
calls. The pod says who it is by user name (its address) and password (its namespace), RFC 1929; without them its
socket's address tells. Refusals are what a pod would see: no name, no endpoint, connection refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import struct
from dataclasses import dataclass

from kubelearn.client.rest import Client
from kubelearn.kit.tasks import Tasks
from kubelearn.kit.underlay import SOCKS_PORT
from kubelearn.node.config import NodeConfig
from kubelearn.node.proxy import _names
from kubelearn.node.proxy._backends import Backends, NodePort, NoEndpoints
from kubelearn.node.proxy.base import Mode

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 10.0
_CHUNK = 65536
_OK, _FAILED, _NO_NETWORK, _NO_HOST, _REFUSED, _TIMEOUT, _NO_COMMAND = 0, 1, 3, 4, 5, 6, 7
_LOCAL = ("localhost", "127.0.0.1", "::1")

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _close(server: asyncio.Server) -> None:
    """Whoever was accepted in the same turn of the loop gets its transport first: asyncio (3.11) loses the connection of
    one that comes after `close`, and its client would wait for ever."""
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    await asyncio.sleep(0)
    server.close()


class Refused(Exception):
    """A SOCKS reply other than success."""

    def __init__(self, code: int) -> None:
        super().__init__(f"SOCKS reply {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Caller:
    """The pod that connects; both empty when it does not say and its socket does not tell."""

    ip: str = ""
    namespace: str = ""


class UserspaceProxy:
    """`serve` listens; connections live as tasks of `tasks`."""

    def __init__(self, backends: Backends, config: NodeConfig, tasks: Tasks) -> None:
        self._backends = backends
        self._config = config
        self._net = config.network
        self._tasks = tasks
        self._node_ports: dict[NodePort, asyncio.Server] = {}

    async def serve(self) -> None:
        """Listens until the tasks end. Raises OSError when the address is taken."""
        server = await asyncio.start_server(self._socks, *self._net.dial(self._config.node_ip, SOCKS_PORT))
        self._tasks.start(server.serve_forever(), "socks")

    async def follow_node_ports(self) -> None:
        """Runs for ever: one listener per NodePort, as the Services have it."""
        changed = asyncio.Event()
        self._backends.services.add_handler(lambda *_: changed.set())
        try:
            while True:
                await changed.wait()
                changed.clear()
                wanted = self._backends.node_ports()
                for gone in self._node_ports.keys() - wanted:
                    await _close(self._node_ports.pop(gone))
                for new in wanted - self._node_ports.keys():
                    await self._listen(new)
        finally:
            for server in self._node_ports.values():
                server.close()

    async def _listen(self, port: NodePort) -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._node_port(port, reader, writer)

        address = self._net.dial(self._config.node_ip, port.port)
        try:
            self._node_ports[port] = await asyncio.start_server(connected, *address)
        except OSError as error:
            log.warning("cannot listen on node port %d: %s", port.port, error)

    async def _node_port(self, port: NodePort, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service = self._backends.services.get(port.namespace, port.service)
        client = writer.get_extra_info("peername")[0]
        try:
            if service is None:
                raise NoEndpoints
            target = self._backends.choose(service, port.name, client)
            other = await self._connect(*target, Caller(self._config.node_ip))
        except (NoEndpoints, Refused):
            writer.transport.abort()
            return
        await _relay((reader, writer), other)

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            caller, host, port = await self._greet(reader, writer)
            try:
                other = await self._reach(host, port, caller)
            except Refused as refused:
                log.info("%s → %s:%d: %s", caller.ip or "?", host, port, refused)
                writer.write(_reply(refused.code))
                await writer.drain()
                return
            writer.write(_reply(_OK))
            await _relay((reader, writer), other)
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            log.debug("a SOCKS client went away, or spoke something else")
        finally:
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[Caller, str, int]:
        """Who calls, and where to. Raises ValueError for what is not SOCKS5."""
        version, count = await reader.readexactly(2)
        if version != 5:
            raise ValueError("not SOCKS5")
        methods = await reader.readexactly(count)
        caller = Caller(self._net.reverse(writer.get_extra_info("peername")[0], self._config.pod_cidr))
        if 2 in methods:
            writer.write(b"\x05\x02")
            await reader.readexactly(1)
            user = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
            password = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
            writer.write(b"\x01\x00")
            caller = Caller(user, password)
        else:
            writer.write(b"\x05\x00")
        _, command, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        if command != 1:
            writer.write(_reply(_NO_COMMAND))
            raise ValueError("only CONNECT is supported")
        return caller, host, port

    async def _reach(self, host: str, port: int, caller: Caller) -> Streams:
        if host in _LOCAL:  # a pod's own: it has an address, but no namespace to have a loopback in
            if not caller.ip.startswith("10."):
                raise Refused(_REFUSED)
            return await self._connect(caller.ip, port, caller)
        try:
            ip = str(ipaddress.ip_address(host))
        except ValueError:
            ip = await self._look_up(host, caller)
        try:
            target = self._backends.find(ip, port, caller.ip)
        except NoEndpoints:
            raise Refused(_REFUSED) from None
        return await self._connect(*(target or (ip, port)), caller)

    async def _look_up(self, name: str, caller: Caller) -> str:
        config = self._config
        try:
            where = self._backends.find(config.cluster_dns, 53, "") or (config.cluster_dns, 53)
            server = self._net.dial(*where)
            found = await _names.resolve(
                name, caller.namespace, config.cluster_domain, lambda candidate: _names.query(server, candidate)
            )
        except (NoEndpoints, TimeoutError, OSError) as error:
            log.warning("cluster DNS does not answer: %s", error)
            raise Refused(_NO_HOST) from error
        if not found:
            raise Refused(_NO_HOST)
        return found[0]

    async def _connect(self, ip: str, port: int, caller: Caller) -> Streams:
        host, real = self._net.dial(ip, port)
        source = self._net.address(caller.ip) if caller.ip.startswith("10.") and host != ip else ""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                return await asyncio.open_connection(host, real, local_addr=(source, 0) if source else None)
        except TimeoutError:
            raise Refused(_TIMEOUT) from None
        except OSError as error:
            unreachable = {errno.ENETUNREACH: _NO_NETWORK, errno.EHOSTUNREACH: _NO_HOST}
            raise Refused(unreachable.get(error.errno or 0, _REFUSED)) from error


def _reply(code: int) -> bytes:
    return b"\x05" + bytes([code]) + b"\x00\x01" + bytes(6)


async def _relay(one: Streams, other: Streams) -> None:
    """Both ways until both have ended; a half that ends is passed on."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(one[0], other[1]))
            group.create_task(_copy(other[0], one[1]))
    except* ConnectionError:
        log.debug("a connection was reset")
    finally:
        for _, writer in (one, other):
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def run(client: Client, config: NodeConfig, tasks: Tasks) -> None:
    backends = Backends(client)
    proxy = UserspaceProxy(backends, config, tasks)
    await proxy.serve()
    await backends.start(tasks)
    tasks.start(proxy.follow_node_ports(), "node-ports")


MODE = Mode("userspace", "a forward proxy on each node (process engine)", run)
