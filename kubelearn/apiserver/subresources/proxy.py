"""`pods/NAME:PORT/proxy/…` and `services/NAME:PORT/proxy/…`: any HTTP request, sent on to a pod."""

from __future__ import annotations

from kubelearn.api import errors
from kubelearn.api.kind import Kind
from kubelearn.apiserver import codec, keys, rest, streams
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource
from kubelearn.client.transport import Response


async def _proxy(call: Call, kind: Kind, route: Route) -> Response:
    scheme_name, _, port = route.name.rpartition(":")
    name = scheme_name or port
    name = name.rpartition(":")[2] if ":" in name else name
    port = port if scheme_name else ""
    if kind.resource.plural == "pods":
        host, number = await _pod_address(call, kind, route.namespace, name, port)
    elif kind.resource.plural == "services":
        host, number = await _service_address(call, kind, route.namespace, name, port)
    else:
        raise errors.method_not_allowed()
    return await streams.proxy(call.server, call.request, host, number, "/" + route.rest)


async def _pod_address(call: Call, kind: Kind, namespace: str, name: str, port: str) -> tuple[str, int]:
    pod = codec.decode(await rest.read(call.server, kind, namespace, name))
    address = pod.get("status", {}).get("podIP", "")
    if not address:
        raise errors.service_unavailable(f"pod {name} has no address yet")
    ports = [p for c in pod["spec"]["containers"] for p in c.get("ports", ())]
    named = next((p["containerPort"] for p in ports if p.get("name") == port), None)
    first = ports[0]["containerPort"] if ports else 80
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0
    return address, int(named or (number if 0 < number < 65536 else first))


async def _service_address(call: Call, kind: Kind, namespace: str, name: str, port: str) -> tuple[str, int]:
    """A ready endpoint of the Service."""
    service = codec.decode(await rest.read(call.server, kind, namespace, name))
    ports = service["spec"].get("ports") or []
    wanted = next((p for p in ports if port in ("", str(p["port"]), p.get("name"))), None)
    if wanted is None:
        raise errors.service_unavailable(f'no service port "{port}" found for service "{name}"')
    slices = call.server.registry.kinds[("discovery.k8s.io", "v1", "endpointslices")]
    found = await call.server.store.range(keys.prefix(slices.resource, namespace))
    for endpoints in map(codec.decode, found.items):
        if endpoints["metadata"].get("labels", {}).get("kubernetes.io/service-name") != name:
            continue
        number = next(
            (p["port"] for p in endpoints.get("ports") or () if p.get("name", "") == wanted.get("name", "")), 0
        )
        ready = [e for e in endpoints.get("endpoints") or () if e.get("conditions", {}).get("ready", True)]
        if number and ready:
            return ready[0]["addresses"][0], int(number)
    raise errors.service_unavailable(f'no endpoints available for service "{name}"')


SUBRESOURCE = Subresource(
    _proxy, ("create", "delete", "get", "patch", "update"), "", "v1", kind_of=lambda parent: f"{parent}ProxyOptions"
)
