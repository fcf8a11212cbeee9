"""`create serviceaccount`."""

from __future__ import annotations

from kubelearn.kubectl import creating
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create serviceaccount")
    obj = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": name}}
    await creating.make(ctx, parsed, obj, what="serviceaccount:")
    return 0


VERB = Verb(
    name="serviceaccount",
    summary="Create a service account with the specified name",
    usage="create serviceaccount NAME [--dry-run=server|client|none]",
    examples="# An identity for a program\nkubectl create serviceaccount robot",
    flags=creating.flags(),
    run=run,
    aliases=("sa",),
)
