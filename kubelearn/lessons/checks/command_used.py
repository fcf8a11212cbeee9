"""A command was run in this step: `command_used: {matches: "get pods? .*-o wide"}`, whatever it was called by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubelearn.lessons.check_type import CheckContext, CheckType, Result


async def _run(context: CheckContext, params: Mapping[str, Any]) -> Result:
    pattern = re.compile(str(params["matches"]))
    used = next((c for c in context.commands if pattern.search(c)), None)
    last = f"last: {context.commands[-1]}" if context.commands else "no command yet"
    return Result(used is not None, used or last, str(params.get("example", params["matches"])))


CHECK = CheckType(frozenset({"matches"}), frozenset({"example"}), _run)
