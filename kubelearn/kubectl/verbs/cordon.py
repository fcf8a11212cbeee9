"""`cordon`: no new pods on a node."""

from __future__ import annotations

from kubelearn.kubectl import nodes, options
from kubelearn.kubectl.failures import raise_all
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    found, errors = await nodes.targets(ctx, parsed, "cordon")
    raise_all(errors)
    for target in found:
        word = await nodes.cordon(ctx, target, True, options.dry_run(parsed), "kubectl-cordon")
        ctx.out(f"{target.title} {word}\n")
    return 0


VERB = Verb(
    name="cordon",
    summary="Mark node as unschedulable",
    usage="cordon NODE",
    examples="# Pods that run there stay\nkubectl cordon worker-1",
    flags=(options.SELECTOR, options.DRY_RUN),
    run=run,
    complete="node",
)
