"""Objects that every cluster is born with: the cluster DNS Service and the address of the API server."""

from __future__ import annotations

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.rest import Client
from kubelearn.cluster.nodes import CLUSTER_DNS

_SERVICES = Resource("", "v1", "Service", "services", "service", True)
_SLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", True)
NODES = Resource("", "v1", "Node", "nodes", "node", False)
_ENDPOINTS = Resource("", "v1", "Endpoints", "endpoints", "endpoints", True)


async def apply(client: Client, address: str, api_port: int, dns_port: int) -> None:
    """`address` is the control plane's as pods see it; these Services have no selector, so their endpoints are ours."""
    await _ensure(client, _SERVICES, _dns_service())
    dns = [("dns", "UDP", dns_port), ("dns-tcp", "TCP", dns_port)]
    api = [("https", "TCP", api_port)]
    for namespace, service, ports in (("kube-system", "kube-dns", dns), ("default", "kubernetes", api)):
        await _replace(client, _SLICES, _slice(namespace, service, address, ports))
        await _replace(client, _ENDPOINTS, _endpoints(namespace, service, address, ports))


def _dns_service() -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kube-dns",
            "namespace": "kube-system",
            "labels": {
                "k8s-app": "kube-dns",
                "kubernetes.io/name": "CoreDNS",
                "kubernetes.io/cluster-service": "true",
            },
        },
        "spec": {
            "clusterIP": CLUSTER_DNS,
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
            ],
        },
    }


def _slice(namespace: str, service: str, address: str, ports: list[tuple[str, str, int]]) -> Obj:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": service,
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": n, "protocol": p, "port": port} for n, p, port in ports],
    }


def _endpoints(namespace: str, service: str, address: str, ports: list[tuple[str, str, int]]) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": service,
            "namespace": namespace,
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [
            {
                "addresses": [{"ip": address}],
                "ports": [{"name": n, "protocol": p, "port": port} for n, p, port in ports],
            }
        ],
    }


async def _ensure(client: Client, resource: Resource, obj: Obj) -> None:
    """Create it unless an earlier run did; a Service made anew would be refused its own address."""
    about = obj["metadata"]
    try:
        await client.get(resource, about["name"], about["namespace"])
    except ApiError as error:
        if error.code != 404:
            raise
        await client.create(resource, obj, about["namespace"])


async def _replace(client: Client, resource: Resource, obj: Obj) -> None:
    """Create it, or bring what a previous run left up to date (the port may have changed)."""
    try:
        await client.create(resource, obj, obj["metadata"]["namespace"])
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
        await client.update(resource, obj)
