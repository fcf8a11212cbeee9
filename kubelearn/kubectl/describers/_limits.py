"""Quotas and limit ranges as tables: of one object, and of all in a namespace."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers._writer import Writer

_COLUMNS = ("Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
_PARTS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")


def quota_rows(out: Writer, quota: Obj, level: int, dashes: str) -> None:
    """What is used of what there is; kubectl draws the line under `Used` with three dashes or four."""
    out.line(level, "Resource\tUsed\tHard")
    out.line(level, f"--------\t{dashes}\t{dashes}")
    status = quota.get("status") or {}
    for resource, hard in sorted((status.get("hard") or {}).items()):
        out.line(level, f"{resource}\t{(status.get('used') or {}).get(resource, '0')}\t{hard}")


def limit_rows(out: Writer, ranges: list[Obj], prefix: str) -> None:
    out.line(0, prefix + "\t".join(_COLUMNS))
    out.line(0, prefix + "\t".join("-" * len(name) for name in _COLUMNS))
    for found in ranges:
        for item in (found.get("spec") or {}).get("limits") or []:
            resources = sorted({resource for part in _PARTS for resource in item.get(part) or {}})
            for resource in resources:
                cells = [str((item.get(part) or {}).get(resource, "-")) for part in _PARTS]
                out.line(0, prefix + "\t".join([item.get("type", ""), resource, *cells]))
