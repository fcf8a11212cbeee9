"""`create quota`."""

from __future__ import annotations

from typing import Any

from kubelearn.api import quantity
from kubelearn.kubectl import creating
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create quota")
    spec: dict[str, Any] = {}
    if parsed["hard"]:
        spec["hard"] = _amounts(parsed["hard"])
    if parsed["scopes"]:
        spec["scopes"] = parsed["scopes"].split(",")
    obj = {"kind": "ResourceQuota", "apiVersion": "v1", "metadata": {"name": name}, "spec": spec, "status": {}}
    await creating.make(ctx, parsed, obj, what="quota:")
    return 0


def _amounts(text: str) -> dict[str, str]:
    found = {}
    for pair in text.split(","):
        resource, equals, amount = pair.partition("=")
        if not equals or "=" in amount:
            raise CommandError(f"Invalid argument syntax {pair}, expected <resource>=<value>")
        try:
            found[resource] = quantity.canonical(amount)
        except ValueError as error:
            raise CommandError(str(error)) from error
    return found


VERB = Verb(
    name="quota",
    summary="Create a quota with the specified name",
    usage="create quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]",
    examples="# At most ten pods and four CPUs\nkubectl create quota team --hard=pods=10,requests.cpu=4",
    flags=(
        *creating.flags(),
        Flag("hard", help="RESOURCE=AMOUNT limits, with commas between"),
        Flag("scopes", help="only objects in these scopes, with commas between"),
    ),
    run=run,
    aliases=("resourcequota",),
)
