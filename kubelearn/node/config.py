"""What a node knows of itself: FOLDER/kubelet.json and the certificates beside it, as the cluster wrote them."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubelearn.kit.errors import KubelearnError
from kubelearn.kit.underlay import Underlay


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """`capacity` holds quantities as the Node's status shows them; seconds are the kubelet's usual defaults."""

    folder: Path
    node: str
    server: str
    pod_cidr: str
    node_ip: str
    index: int = 1
    engine: str = "process"
    bind_address: str = "0.0.0.0"
    kubelet_port: int = 10250
    cluster_dns: str = "10.96.0.10"
    cluster_domain: str = "cluster.local"
    proxy_mode: str = "userspace"
    underlay: str = ""
    capacity: dict[str, str] = field(default_factory=dict)
    lease_seconds: int = 40
    heartbeat_seconds: float = 10
    status_seconds: float = 300

    @property
    def network(self) -> Underlay:
        return Underlay(self.underlay)

    def client_tls(self) -> ssl.SSLContext:
        """As system:node:NAME to the API server."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        context.load_cert_chain(self.folder / "kubelet.crt", self.folder / "kubelet.key")
        return context

    def server_tls(self) -> ssl.SSLContext:
        """Of the kubelet's own port: only who has a certificate of this cluster gets in."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.folder / "ca.crt"))
        context.load_cert_chain(self.folder / "kubelet-serving.crt", self.folder / "kubelet-serving.key")
        context.verify_mode = ssl.CERT_REQUIRED
        return context


_NAMES = {
    "node": "node",
    "server": "server",
    "podCIDR": "pod_cidr",
    "nodeIP": "node_ip",
    "index": "index",
    "engine": "engine",
    "bindAddress": "bind_address",
    "kubeletPort": "kubelet_port",
    "clusterDNS": "cluster_dns",
    "clusterDomain": "cluster_domain",
    "proxyMode": "proxy_mode",
    "underlay": "underlay",
    "capacity": "capacity",
    "leaseSeconds": "lease_seconds",
    "heartbeatSeconds": "heartbeat_seconds",
    "statusSeconds": "status_seconds",
}


def load(folder: Path) -> NodeConfig:
    """Raises KubelearnError when the file is missing or damaged; unknown settings are an error too."""
    path = folder / "kubelet.json"
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        unknown = sorted(set(data) - set(_NAMES))
        if unknown:
            raise KubelearnError(f"{path}: unknown settings: {', '.join(unknown)}")
        return NodeConfig(folder, **{_NAMES[name]: value for name, value in data.items()})
    except (OSError, ValueError, TypeError) as error:
        raise KubelearnError(f"cannot read {path}: {error}", "kubelearn up writes it anew") from error
