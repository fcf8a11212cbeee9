"""Namespaces, with their quotas and limit ranges where the server has such."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, namespace: Obj, sources: Sources) -> None:
    name, status = namespace["metadata"]["name"], namespace.get("status") or {}
    w.head(out, namespace, namespaced=False)
    out.field("Status", status.get("phase", ""))
    if status.get("conditions"):
        out.line(0, "Conditions:")
        out.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage")
        out.line(1, "----\t------\t------------------\t------\t-------")
        for c in status["conditions"]:
            when = w.time(c.get("lastTransitionTime"))
            out.line(1, f"{c['type']}\t{c['status']}\t{when}\t{c.get('reason', '')}\t{c.get('message', '')}")
    out.line(0, "")
    quotas = await sources.list("resourcequotas", name)
    out.line(0, "Resource Quotas" if quotas else "No resource quota.")
    for quota in quotas:
        _quota(out, quota)
    out.line(0, "")
    ranges = await sources.list("limitranges", name)
    out.line(0, "Resource Limits" if ranges else "No LimitRange resource.")


def _quota(out: Writer, quota: Obj) -> None:
    status = quota.get("status") or {}
    out.line(1, f"Name:\t{quota['metadata']['name']}")
    out.line(1, "Resource\tUsed\tHard")
    out.line(1, "--------\t---\t---")
    for resource, hard in sorted((status.get("hard") or {}).items()):
        out.line(1, f"{resource}\t{(status.get('used') or {}).get(resource, '0')}\t{hard}")


DESCRIBER = Describer(write, events=False)
