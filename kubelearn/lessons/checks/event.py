"""An event was written in this step: `event: {reason: Scheduled, kind: Pod, name: web.*, message: worker}` (patterns).

Events outlive what they tell of, so those that were there when the step began do not count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.lessons.check_type import CheckContext, CheckType, Result


async def _run(context: CheckContext, params: Mapping[str, Any]) -> Result:
    found = await context.fetch_all("events", namespace=params.get("namespace", ""))
    recent = [e for e in found if _revision(e) > context.since and _is_about(e, params)]
    matching = [e for e in recent if e.get("reason") == params["reason"] and _says(e, params)]
    wanted = f"an event {params['reason']}" + (
        f" of {params['kind']} {params.get('name', '')}".rstrip() if "kind" in params else ""
    )
    wanted += f" that says {params['message']}" if "message" in params else ""
    if matching:
        return Result(True, f"{params['reason']}: {matching[-1].get('message', '')}", wanted)
    reasons = list(dict.fromkeys(str(e.get("reason", "")) for e in recent))
    return Result(False, f"only {', '.join(reasons)}" if reasons else "no such event", wanted)


def _revision(event: Obj) -> int:
    """Since Kubernetes 1.35 resource versions are numbers that may be compared; one that is none counts as new."""
    version = event["metadata"].get("resourceVersion", "")
    return int(version) if version.isdigit() else 1 << 63


def _is_about(event: Obj, params: Mapping[str, Any]) -> bool:
    about = event["involvedObject"]
    if "kind" in params and about.get("kind") != params["kind"]:
        return False
    return re.fullmatch(str(params.get("name", ".*")), about.get("name", "")) is not None


def _says(event: Obj, params: Mapping[str, Any]) -> bool:
    return re.search(str(params.get("message", "")), event.get("message", "")) is not None


CHECK = CheckType(
    frozenset({"reason"}),
    frozenset({"kind", "name", "message", "namespace"}),
    _run,
    patterns=frozenset({"name", "message"}),
)
