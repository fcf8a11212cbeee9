"""Role bindings: who gets which role."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, binding: Obj, _sources: Sources) -> None:
    w.head(out, binding, namespaced=False)
    role = binding.get("roleRef") or {}
    out.line(0, "Role:")
    out.field("Kind", role.get("kind", ""), 1)
    out.field("Name", role.get("name", ""), 1)
    out.line(0, "Subjects:")
    out.line(1, "Kind\tName\tNamespace")
    out.line(1, "----\t----\t---------")
    for s in binding.get("subjects") or []:
        out.line(1, f"{s.get('kind', '')}\t{s.get('name', '')}\t{s.get('namespace', '')}")


DESCRIBER = Describer(write, events=False)
