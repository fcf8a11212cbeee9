"""How many objects there are: `count: {kind: pods, selector: app=web, path: .status.phase, value: Running, equals: 3}`.

With `path` and `value`, only the objects whose field matches the regular expression `value` count. Objects that are
terminating do not, as no controller counts them; `distinct: true` counts different values of `path` instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubelearn.lessons.check_type import COMPARISONS, CheckContext, CheckType, Result, compare, read_path


async def _run(context: CheckContext, params: Mapping[str, Any]) -> Result:
    found = await context.fetch_all(
        params["kind"], params.get("selector", ""), params.get("fields", ""), params.get("namespace", "")
    )
    alive = [o for o in found if not o["metadata"].get("deletionTimestamp")]
    path = params.get("path", "")
    values = [read_path(o, path) or "" for o in alive] if path else [o["metadata"]["name"] for o in alive]
    if "value" in params:
        values = [v for v in values if re.fullmatch(str(params["value"]), v)]
    number = len(set(values)) if params.get("distinct") else len(values)
    passed, wanted = compare(str(number), params)
    what = f"{params['kind']}" + (f" with {path} {params['value']}" if path and "value" in params else "")
    what = f"different {path} among {params['kind']}" if params.get("distinct") else what
    return Result(passed, f"{number} {what}", f"{wanted} {what}")


_COMPARISONS = COMPARISONS - {"absent"}


def _also(params: Mapping[str, Any]) -> list[str]:
    return (
        [] if _COMPARISONS & set(params) else [f"needs one of {', '.join(sorted(_COMPARISONS))}: any number would do"]
    )


CHECK = CheckType(
    frozenset({"kind"}),
    frozenset({"selector", "fields", "namespace", "path", "value", "distinct"}) | _COMPARISONS,
    _run,
    patterns=frozenset({"matches", "value"}),
    flags=frozenset({"distinct"}),
    also=_also,
)
