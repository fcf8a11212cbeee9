"""`step`: deliver the next event that a held component waits for."""

from __future__ import annotations

from kubelearn.kubectl.own import _glass
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def _run(context: Context, parsed: Parsed) -> int:
    found = {g["metadata"]["name"]: g for g in await _glass.gates(context.client)}
    if parsed.args:
        name = _glass.component(parsed.args[0], list(found))
    else:
        waiting = [(g["status"]["waiting"][0]["revision"], n) for n, g in found.items() if g["status"]["waiting"]]
        name = min(waiting)[1] if waiting else ""
    before = found[name]["status"]["waiting"] if name else []
    if not before:
        held = name and found[name]["spec"]["paused"]
        context.out(f"nothing waits for {name}\n" if held else "nothing waits at the gate; pause a component first\n")
        return 0
    count = int(parsed["count"])
    await context.client.create(_glass.GATES, {"count": count}, name=name, subresource="step")
    for waiting in before[:count]:
        context.out(f"{name} sees {_glass.event_text(waiting)}\n")
    return 0


VERB = Verb(
    name="step",
    summary="Deliver a held component's next event (the oldest of all when none is named)",
    usage="step [COMPONENT] [flags]",
    examples="# Show the scheduler the next change\nkubelearn step kube-scheduler",
    flags=(Flag("count", kind="int", default=1, help="how many events to deliver"),),
    run=_run,
    complete="component",
)
