"""Where a cluster address really is, when all nodes and pods share one machine's loopback (the process engine).

The cluster says 10.O.a.b; the socket is at 127.(O mod 64 + 64).a.b, so that clusters side by side do not meet.
Ports below 1024 need root on the loopback too, so they move up by 61000, above the range of ephemeral ports. With an
empty prefix (the docker engine) every address is what it says.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Programs in pods learn the prefix from this variable.
VARIABLE = "KUBELEARN_UNDERLAY"
PRIVILEGED = 1024
SHIFT = 61000
#: Every node's forward proxy listens here, on the node's own address.
SOCKS_PORT = 1080


def prefix_for(second_octet: int) -> str:
    """`127.116` for 244."""
    return f"127.{second_octet % 64 + 64}"


@dataclass(frozen=True, slots=True)
class Underlay:
    """`prefix` is `127.x`, or empty for none."""

    prefix: str = ""

    def dial(self, ip: str, port: int) -> tuple[str, int]:
        """What to connect to (or listen on) for a node's or pod's address; any other address is left alone."""
        if not self._is_ours(ip):
            return ip, port
        return self.address(ip), self.port(port)

    def address(self, ip: str) -> str:
        return f"{self.prefix}.{ip.split('.', 2)[2]}" if self._is_ours(ip) else ip

    def port(self, port: int) -> int:
        return port + SHIFT if self.prefix and 0 < port < PRIVILEGED else port

    def reverse(self, host: str, cidr: str) -> str:
        """The cluster's name for a socket's address: `cidr` is any network of the cluster, `10.O.…`."""
        if self.prefix and host.startswith(self.prefix + "."):
            return ".".join(cidr.split(".")[:2]) + host.removeprefix(self.prefix)
        return host

    def _is_ours(self, ip: str) -> bool:
        if not self.prefix or not ip.startswith("10."):
            return False
        octet = ip.split(".")[1]
        return octet.isdigit() and prefix_for(int(octet)) == self.prefix
