"""`options`: the flags that every command takes."""

from __future__ import annotations

from kubelearn.kubectl import help
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def run(ctx: Context, _parsed: Parsed) -> int:
    ctx.out(help.options())
    return 0


VERB = Verb(
    name="options",
    summary="Print the list of flags inherited by all commands",
    usage="options",
    examples="# What every command understands\nkubectl options",
    run=run,
)
