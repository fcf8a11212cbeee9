"""Ingress classes."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, found: Obj, _sources: Sources) -> None:
    spec = found.get("spec") or {}
    w.head(out, found, namespaced=False)
    out.field("Controller", spec.get("controller", ""))
    if parameters := spec.get("parameters"):
        out.line(0, "Parameters:")
        if parameters.get("apiGroup") is not None:
            out.field("APIGroup", parameters["apiGroup"], 1)
        out.field("Kind", parameters.get("kind", ""), 1)
        out.field("Name", parameters.get("name", ""), 1)


DESCRIBER = Describer(write)
