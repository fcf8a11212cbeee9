"""`api-versions`: what group/version pairs the server serves."""

from __future__ import annotations

from kubelearn.kubectl import resources
from kubelearn.kubectl.failures import UsageError
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    if parsed.args:
        raise UsageError("api-versions", f"unexpected arguments: [{' '.join(parsed.args)}]")
    found = sorted({r.api_version for r in (await resources.mapper(ctx)).all()})
    ctx.out("".join(f"{version}\n" for version in found))
    return 0


VERB = Verb(
    name="api-versions",
    summary='Print the supported API versions on the server, in the form of "group/version"',
    usage="api-versions",
    examples="# All of them\nkubectl api-versions",
    run=run,
)
