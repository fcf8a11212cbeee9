"""An event was written: `event: {reason: Scheduled, kind: Pod, name: web.*, message: worker}` (patterns)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubelearn.lessons.check_type import CheckContext, CheckType, Result


async def _run(context: CheckContext, params: Mapping[str, Any]) -> Result:
    found = await context.fetch_all("events", namespace=params.get("namespace", ""))
    matching = [
        e
        for e in found
        if e.get("reason") == params["reason"]
        and e["involvedObject"].get("kind") == params.get("kind", e["involvedObject"].get("kind"))
        and re.fullmatch(str(params.get("name", ".*")), e["involvedObject"].get("name", ""))
        and re.search(str(params.get("message", "")), e.get("message", ""))
    ]
    wanted = f"an event {params['reason']}" + (
        f" of {params['kind']} {params.get('name', '')}".rstrip() if "kind" in params else ""
    )
    return Result(bool(matching), matching[-1]["message"] if matching else "no such event", wanted)


CHECK = CheckType(frozenset({"reason"}), frozenset({"kind", "name", "message", "namespace"}), _run)
