"""`create namespace`."""

from __future__ import annotations

from kubelearn.kubectl import creating
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create namespace")
    obj = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}, "spec": {}, "status": {}}
    await creating.make(ctx, parsed, obj, namespaced=False)
    return 0


VERB = Verb(
    name="namespace",
    summary="Create a namespace with the specified name",
    usage="create namespace NAME [--dry-run=server|client|none]",
    examples="# A namespace for a team\nkubectl create namespace team-a",
    flags=creating.flags(),
    run=run,
    aliases=("ns",),
)
