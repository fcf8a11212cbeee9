"""Services, with the endpoints behind each port."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer

_SHOWN = 3


async def write(out: Writer, service: Obj, sources: Sources) -> None:
    meta, spec = service["metadata"], service.get("spec") or {}
    w.head(out, service)
    out.field("Selector", ",".join(f"{k}={v}" for k, v in sorted((spec.get("selector") or {}).items())) or "<none>")
    out.field("Type", spec.get("type", ""))
    if spec.get("ipFamilyPolicy"):
        out.field("IP Family Policy", spec["ipFamilyPolicy"])
    out.field("IP Families", ",".join(spec.get("ipFamilies") or []) or "<none>")
    out.field("IP", spec.get("clusterIP", ""))
    out.field("IPs", ",".join(spec.get("clusterIPs") or []) or "<none>")
    if spec.get("externalIPs"):
        out.field("External IPs", ",".join(spec["externalIPs"]))
    if spec.get("loadBalancerIP"):
        out.field("Desired LoadBalancer IP", spec["loadBalancerIP"])
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if ingress:
        out.field("LoadBalancer Ingress", ", ".join(i.get("ip") or i.get("hostname", "") for i in ingress))
    if spec.get("externalName"):
        out.field("External Name", spec["externalName"])
    label = f"kubernetes.io/service-name={meta['name']}"
    slices = await sources.list("endpointslices.discovery.k8s.io", meta.get("namespace", ""), label_selector=label)
    for port in spec.get("ports") or []:
        _port(out, port, slices)
    out.field("Session Affinity", spec.get("sessionAffinity", ""))
    for title, key in (
        ("External Traffic Policy", "externalTrafficPolicy"),
        ("Internal Traffic Policy", "internalTrafficPolicy"),
        ("HealthCheck NodePort", "healthCheckNodePort"),
    ):
        if spec.get(key):
            out.field(title, spec[key])
    if spec.get("loadBalancerSourceRanges"):
        out.field("LoadBalancer Source Ranges", ",".join(spec["loadBalancerSourceRanges"]))


def _port(out: Writer, port: Obj, slices: list[Obj]) -> None:
    name, protocol = port.get("name") or "<unset>", port.get("protocol", "TCP")
    out.line(0, f"Port:\t{name}\t{port['port']}/{protocol}")
    out.field("TargetPort", f"{port.get('targetPort', port['port'])}/{protocol}")
    if port.get("nodePort"):
        out.line(0, f"NodePort:\t{name}\t{port['nodePort']}/{protocol}")
    out.field("Endpoints", endpoints(slices, port.get("name") or ""))


def endpoints(slices: list[Obj], port_name: str) -> str:
    if not slices:
        return "<none>"
    found = []
    for piece in slices:
        for port in piece.get("ports") or []:
            if (port.get("name") or "") != port_name:
                continue
            for endpoint in piece.get("endpoints") or []:
                if (endpoint.get("conditions") or {}).get("ready") is not False:
                    found.append(f"{endpoint['addresses'][0]}:{port.get('port', '')}")
    more = f" + {len(found) - _SHOWN} more..." if len(found) > _SHOWN else ""
    return ",".join(found[:_SHOWN]) + more


DESCRIBER = Describer(write)
