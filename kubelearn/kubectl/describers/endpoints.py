"""Endpoints, the older form of endpoint slices."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, endpoints: Obj, _sources: Sources) -> None:
    w.head(out, endpoints)
    out.line(0, "Subsets:")
    for subset in endpoints.get("subsets") or []:
        for title, key in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")):
            out.field(title, ",".join(a.get("ip", "") for a in subset.get(key) or []) or "<none>", 1)
        if subset.get("ports"):
            out.line(1, "Ports:")
            out.line(2, "Name\tPort\tProtocol")
            out.line(2, "----\t----\t--------")
            for port in subset["ports"]:
                out.line(2, f"{port.get('name') or '<unset>'}\t{port['port']}\t{port.get('protocol', '')}")
        out.line(0, "")


DESCRIBER = Describer(write)
