"""`create role`."""

from __future__ import annotations

from kubelearn.kubectl import creating
from kubelearn.kubectl.generators import _rbac
from kubelearn.kubectl.verb import Context, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create role")
    rules = await _rbac.rules(ctx, parsed, _rbac.verbs(parsed))
    await creating.make(
        ctx, parsed, {"kind": "Role", "apiVersion": _rbac.API, "metadata": {"name": name}, "rules": rules}
    )
    return 0


VERB = Verb(
    name="role",
    summary="Create a role with single rule",
    usage="create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename]",
    examples="# May look at pods\nkubectl create role reader --verb=get,list,watch --resource=pods",
    flags=(*creating.flags(), *_rbac.ROLE),
    run=run,
)
