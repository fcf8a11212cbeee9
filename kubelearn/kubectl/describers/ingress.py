"""Ingresses, with the endpoints behind each path."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer
from kubelearn.kubectl.describers.service import endpoints


async def write(out: Writer, ingress: Obj, sources: Sources) -> None:
    meta, spec = ingress["metadata"], ingress.get("spec") or {}
    namespace = meta.get("namespace", "")
    out.field("Name", meta["name"])
    w.labels(out, "Labels", meta.get("labels"))
    out.field("Namespace", namespace)
    addresses = ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    out.field("Address", ",".join(a.get("ip") or a.get("hostname", "") for a in addresses))
    out.field("Ingress Class", spec.get("ingressClassName") or "<none>")
    backend = spec.get("defaultBackend")
    default = await _backend(backend, namespace, sources) if backend else "<default>"
    out.field("Default backend", default)
    _tls(out, spec.get("tls") or [])
    out.line(0, "Rules:")
    out.line(1, "Host\tPath\tBackends")
    out.line(1, "----\t----\t--------")
    rules = [rule for rule in spec.get("rules") or [] if rule.get("http")]
    for rule in rules:
        out.line(1, f"{rule.get('host') or '*'}\t")
        for path in rule["http"].get("paths") or []:
            behind = await _backend(path.get("backend") or {}, namespace, sources)
            out.line(2, f"\t{path.get('path', '')} \t{behind}")
    if not rules:
        out.line(1, f"*\t*\t{default}")
    w.annotation_lines(out, meta.get("annotations"))


def _tls(out: Writer, found: list[Obj]) -> None:
    if found:
        out.line(0, "TLS:")
    for tls in found:
        hosts = ",".join(tls.get("hosts") or [])
        out.line(1, f"{tls['secretName']} terminates {hosts}" if tls.get("secretName") else f"SNI routes {hosts}")


async def _backend(backend: Obj, namespace: str, sources: Sources) -> str:
    if resource := backend.get("resource"):
        group = resource.get("apiGroup") or "<none>"
        return f"APIGroup: {group}, Kind: {resource.get('kind', '')}, Name: {resource.get('name', '')}"
    to = backend.get("service") or {}
    name, port = to.get("name", ""), to.get("port") or {}
    title = f"{name}:{port.get('number') or port.get('name', '')}"
    service = await sources.get("services", name, namespace)
    if service is None:
        return f'{title} (<error: services "{name}" not found>)'
    label = f"kubernetes.io/service-name={name}"
    slices = await sources.list("endpointslices.discovery.k8s.io", namespace, label_selector=label)
    ports = (service.get("spec") or {}).get("ports") or []
    named = [p.get("name", "") for p in ports if p["port"] == port.get("number") or p.get("name") == port.get("name")]
    return f"{title} ({endpoints(slices, named[-1] if named else '')})"


DESCRIBER = Describer(write)
