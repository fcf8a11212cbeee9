"""A field of one object: `resource: {kind: pod, name: web, path: .status.phase, equals: Running}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubelearn.lessons.check_type import COMPARISONS, CheckContext, CheckType, Result, compare, read_path


async def _run(context: CheckContext, params: Mapping[str, Any]) -> Result:
    kind, name = params["kind"], params["name"]
    obj = await context.fetch(kind, name, params.get("namespace", ""))
    path = params.get("path", "")
    if obj is None:
        gone = bool(params.get("absent")) and not path
        return Result(gone, f"no {kind} {name}", f"no {kind} {name}" if gone else f"{kind} {name}")
    if not path:
        absent = bool(params.get("absent"))
        return Result(not absent, f"{kind} {name}", f"no {kind} {name}" if absent else f"{kind} {name}")
    value = read_path(obj, path)
    passed, wanted = compare(value, params)
    return Result(passed, f"{kind} {name} {path} = {value or 'nothing'}", wanted)


def _also(params: Mapping[str, Any]) -> list[str]:
    pointless = sorted((COMPARISONS - {"absent"}) & set(params)) if "path" not in params else []
    return [f"{name} needs a path: what of the object?" for name in pointless]


CHECK = CheckType(frozenset({"kind", "name"}), frozenset({"path", "namespace"}) | COMPARISONS, _run, also=_also)
