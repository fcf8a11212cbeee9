"""Roles: what they allow, one line per kind of object."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl import rules
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, role: Obj, _sources: Sources) -> None:
    w.head(out, role, namespaced=False)
    out.line(0, "PolicyRule:")
    out.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs")
    out.line(1, "---------\t-----------------\t--------------\t-----")
    for rule in rules.compact(role.get("rules") or []):
        lists = "\t".join(f"[{' '.join(rule[key])}]" for key in ("nonResourceURLs", "resourceNames", "verbs"))
        out.line(1, f"{rules.resource(rule)}\t{lists}")


DESCRIBER = Describer(write, events=False)
