"""`pause`: hold the watch events of components at the gate."""

from __future__ import annotations

from kubelearn.kubectl.own import _glass
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def _run(context: Context, parsed: Parsed) -> int:
    for name in await _glass.pause(context.client, parsed.args, paused=True):
        context.out(f"{name} paused\n")
    return 0


VERB = Verb(
    name="pause",
    summary="Hold a component's watch events (all components' when none is named)",
    usage="pause [COMPONENT ...]",
    examples="# Nothing will be scheduled from now on\nkubelearn pause kube-scheduler",
    run=_run,
    complete="component",
)
