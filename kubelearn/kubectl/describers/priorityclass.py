"""Priority classes."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, found: Obj, _sources: Sources) -> None:
    out.field("Name", found["metadata"]["name"])
    out.field("Value", found.get("value", 0))
    out.field("GlobalDefault", w.go_bool(found.get("globalDefault")))
    out.field("PreemptionPolicy", found.get("preemptionPolicy", ""))
    out.field("Description", found.get("description", ""))
    out.field("Annotations", w.pairs(found["metadata"].get("annotations")))


DESCRIBER = Describer(write)
