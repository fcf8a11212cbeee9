"""`waiting`: what each component has waiting at the gate."""

from __future__ import annotations

import json

from kubelearn.kubectl.own import _glass
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def _run(context: Context, parsed: Parsed) -> int:
    found = await _glass.gates(context.client)
    if parsed["output"] == "json":
        context.out(json.dumps({g["metadata"]["name"]: g["status"]["waiting"] for g in found}) + "\n")
        return 0
    held = [g for g in found if g["spec"]["paused"]]
    if not held:
        context.out("no component is paused\n")
    for gate in held:
        waiting = gate["status"]["waiting"]
        following = f": next {_glass.event_text(waiting[0])}" if waiting else ""
        context.out(f"⏸ {gate['metadata']['name']}: {len(waiting)} waiting{following}\n")
    return 0


VERB = Verb(
    name="waiting",
    summary="What each paused component has waiting at the gate",
    usage="waiting [flags]",
    examples="# What has the scheduler not seen yet?\nkubelearn waiting",
    flags=(Flag("output", "o", help="json, or text when empty", default=""),),
    run=_run,
)
