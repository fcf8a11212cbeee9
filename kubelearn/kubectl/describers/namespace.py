"""Namespaces, with their quotas and limit ranges where the server has such."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._limits import limit_rows, quota_rows
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
    if await sources.serves("resourcequotas"):
        out.line(0, "")
        _quotas(out, await sources.list("resourcequotas", name))
    if await sources.serves("limitranges"):
        out.line(0, "")
        _limits(out, await sources.list("limitranges", name))


def _quotas(out: Writer, quotas: list[Obj]) -> None:
    out.line(0, "Resource Quotas" if quotas else "No resource quota.")
    for quota in quotas:
        out.line(1, f"Name:\t{quota['metadata']['name']}")
        quota_rows(out, quota, 1, "---")


def _limits(out: Writer, ranges: list[Obj]) -> None:
    out.line(0, "Resource Limits" if ranges else "No LimitRange resource.")
    if ranges:
        limit_rows(out, ranges, " ")


DESCRIBER = Describer(write, events=False)
