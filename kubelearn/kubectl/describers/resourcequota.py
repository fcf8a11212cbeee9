"""Quotas: what is used of them."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers._limits import quota_rows
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, quota: Obj, _sources: Sources) -> None:
    out.field("Name", quota["metadata"]["name"])
    out.field("Namespace", quota["metadata"].get("namespace", ""))
    if scopes := (quota.get("spec") or {}).get("scopes"):
        out.field("Scopes", ", ".join(sorted(scopes)))
    quota_rows(out, quota, 0, "----")


DESCRIBER = Describer(write, events=False)
