"""Endpoint slices."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, piece: Obj, _sources: Sources) -> None:
    w.head(out, piece)
    out.field("AddressType", piece.get("addressType", ""))
    ports = piece.get("ports") or []
    out.line(0, "Ports:" if ports else "Ports: <unset>")
    if ports:
        out.line(1, "Name\tPort\tProtocol")
        out.line(1, "----\t----\t--------")
    for port in ports:
        out.line(1, f"{port.get('name') or '<unset>'}\t{port.get('port', '<unset>')}\t{port.get('protocol', '')}")
    endpoints = piece.get("endpoints") or []
    out.line(0, "Endpoints:" if endpoints else "Endpoints: <none>")
    for endpoint in endpoints:
        _endpoint(out, endpoint)


def _endpoint(out: Writer, endpoint: Obj) -> None:
    out.line(1, f"- Addresses:\t{', '.join(endpoint.get('addresses') or [])}")
    conditions = endpoint.get("conditions") or {}
    out.line(2, "Conditions:")
    ready = conditions.get("ready")
    out.line(3, f"Ready:\t{'<unset>' if ready is None else str(ready).lower()}")
    out.line(2, f"Hostname:\t{endpoint.get('hostname') or '<unset>'}")
    target = endpoint.get("targetRef")
    if target:
        out.line(2, f"TargetRef:\t{target.get('kind', '')}/{target.get('name', '')}")
    out.line(2, f"NodeName:\t{endpoint.get('nodeName') or '<unset>'}")
    out.line(2, f"Zone:\t{endpoint.get('zone') or '<unset>'}")


DESCRIBER = Describer(write)
