"""A status condition: `condition: {kind: node, name: worker-2, type: Ready, status: "Unknown|False"}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubelearn.lessons.check_type import CheckContext, CheckType, Result


async def _run(context: CheckContext, params: Mapping[str, Any]) -> Result:
    kind, name, condition = params["kind"], params["name"], params["type"]
    wanted = str(params.get("status", "True")).split("|")
    text = f"{condition} {' or '.join(wanted)}"
    obj = await context.fetch(kind, name, params.get("namespace", ""))
    if obj is None:
        return Result(False, f"no {kind} {name}", text)
    found = next((c for c in obj.get("status", {}).get("conditions", ()) if c["type"] == condition), None)
    if found is None:
        return Result(False, f"{kind} {name} has no condition {condition}", text)
    reason = f" ({found['reason']})" if found.get("reason") else ""
    return Result(found["status"] in wanted, f"{kind} {name}: {condition} {found['status']}{reason}", text)


def _also(params: Mapping[str, Any]) -> list[str]:
    unknown = set(str(params.get("status", "True")).split("|")) - {"True", "False", "Unknown"}
    return [f"status {s} is none of True, False, Unknown" for s in sorted(unknown)]


CHECK = CheckType(frozenset({"kind", "name", "type"}), frozenset({"status", "namespace"}), _run, also=_also)
