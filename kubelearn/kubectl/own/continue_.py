"""`continue`: let held components go on; what waited is delivered in order."""

from __future__ import annotations

from kubelearn.kubectl.own import _glass
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def _run(context: Context, parsed: Parsed) -> int:
    for name in await _glass.pause(context.client, parsed.args, paused=False):
        context.out(f"{name} continues\n")
    return 0


VERB = Verb(
    name="continue",
    summary="Let a held component go on (all when none is named)",
    usage="continue [COMPONENT ...]",
    examples="# Everything runs freely again\nkubelearn continue",
    run=_run,
    complete="component",
)
