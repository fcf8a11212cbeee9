"""Limit ranges: what a container or pod may ask for, and gets when it does not ask."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers._limits import limit_rows
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, found: Obj, _sources: Sources) -> None:
    out.field("Name", found["metadata"]["name"])
    out.field("Namespace", found["metadata"].get("namespace", ""))
    limit_rows(out, [found], "")


DESCRIBER = Describer(write, events=False)
