"""Which way to the pods of the other nodes: each node's pod network by way of that node."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

from kubelearn.api.resource import Obj

log = logging.getLogger(__name__)

_TABLE = Path("/proc/net/route")


def wanted(nodes: Iterable[Obj], own: str) -> dict[str, str]:
    """Pod network → that node's address, for all nodes but `own`. Pure."""
    out = {}
    for node in nodes:
        addresses = (node.get("status") or {}).get("addresses") or ()
        ip = next((a["address"] for a in addresses if a["type"] == "InternalIP"), "")
        cidr = (node.get("spec") or {}).get("podCIDR", "")
        if node["metadata"]["name"] != own and ip and cidr:
            out[cidr] = ip
    return out


def parse(table: str) -> dict[str, str]:
    """Network → gateway, of /proc/net/route. Pure."""
    out = {}
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) > 7 and int(words[2], 16):
            bits = int(words[7], 16).bit_count()
            out[f"{_address(words[1])}/{bits}"] = _address(words[2])
    return out


def _address(word: str) -> str:
    return socket.inet_ntoa(struct.pack("=L", int(word, 16)))


class Routes:
    """`set` makes the kernel's table say what is wanted; cheap when it does already."""

    def __init__(self) -> None:
        self._ours: set[str] = set()

    async def set(self, routes: dict[str, str]) -> None:
        """An interface that was away has lost its routes, so the table itself is asked, not our memory."""
        have = parse(_TABLE.read_text())  # noqa: ASYNC240  /proc does not block
        for cidr, ip in routes.items():
            if have.get(cidr) != ip and await _ip("route", "replace", cidr, "via", ip):
                self._ours.add(cidr)
        for cidr in self._ours - routes.keys():
            await _ip("route", "del", cidr)
            self._ours.discard(cidr)


async def _ip(*arguments: str) -> bool:
    process = await asyncio.create_subprocess_exec("ip", *arguments, stderr=asyncio.subprocess.PIPE)
    _, problem = await process.communicate()
    if process.returncode:
        log.warning("ip %s: %s", " ".join(arguments), problem.decode().strip())
    return process.returncode == 0
