"""The configuration folder of a node: what `python -m kubelearn.node FOLDER` reads. Pure but for the certificates."""

from __future__ import annotations

import json
import os

from kubelearn.cluster.pki import Authority
from kubelearn.cluster.state import ClusterConfig
from kubelearn.engines.base import NodeSpec

CLUSTER_DNS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
#: How long a silent node counts as alive, and how often it speaks (Kubernetes: 40 s and 10 s; a lesson is shorter).
LEASE_SECONDS = 12
HEARTBEAT_SECONDS = 3


def node_name(index: int) -> str:
    return f"worker-{index}"


def machine() -> tuple[float, int]:
    """CPUs and bytes of memory of this computer: what a node says it has."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return float(os.cpu_count() or 1), pages


def node_spec(config: ClusterConfig, index: int, server: str, authority: Authority, underlay: str) -> NodeSpec:
    """`underlay` is the loopback prefix that carries pod addresses on the process engine, empty on docker."""
    name = node_name(index)
    octet = config.second_octet
    ip = f"10.{octet}.0.{index + 1}"
    bind = f"{underlay}.0.{index + 1}" if underlay else "0.0.0.0"
    cpu, memory = machine()
    client = authority.issue(f"system:node:{name}", ("system:nodes",))
    serving = authority.issue(f"system:node:{name}", ("system:nodes",), (name, ip, bind, "127.0.0.1"))
    settings = {
        "node": name,
        "index": index,
        "engine": config.engine,
        "server": server,
        "podCIDR": f"10.{octet}.{index}.0/24",
        "nodeIP": ip,
        "bindAddress": bind,
        "kubeletPort": 10250,
        "clusterDNS": CLUSTER_DNS,
        "clusterDomain": CLUSTER_DOMAIN,
        "proxyMode": "userspace" if underlay else "nftables",
        "underlay": underlay,
        "capacity": {"cpu": str(int(cpu)), "memory": f"{memory // 1024}Ki", "pods": "110"},
        "leaseSeconds": LEASE_SECONDS,
        "heartbeatSeconds": HEARTBEAT_SECONDS,
    }
    files = {
        "kubelet.json": json.dumps(settings, indent=1),
        "ca.crt": authority.pair.certificate,
        "kubelet.crt": client.certificate,
        "kubelet.key": client.key,
        "kubelet-serving.crt": serving.certificate,
        "kubelet-serving.key": serving.key,
    }
    return NodeSpec(name, index, files, cpu, memory)
