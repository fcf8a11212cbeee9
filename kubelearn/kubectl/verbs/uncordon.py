"""`uncordon`: pods may come to a node again."""

from __future__ import annotations

from kubelearn.kubectl import nodes, options
from kubelearn.kubectl.failures import raise_all
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    found, errors = await nodes.targets(ctx, parsed, "uncordon")
    raise_all(errors)
    for target in found:
        word = await nodes.cordon(ctx, target, False, options.dry_run(parsed), "kubectl-uncordon")
        ctx.out(f"{target.title} {word}\n")
    return 0


VERB = Verb(
    name="uncordon",
    summary="Mark node as schedulable",
    usage="uncordon NODE",
    examples="# Open for pods again\nkubectl uncordon worker-1",
    flags=(options.SELECTOR, options.DRY_RUN),
    run=run,
    complete="node",
)
