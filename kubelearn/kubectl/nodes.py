"""What `cordon`, `uncordon`, `drain` and `taint` share: nodes by name or selector, and whether they may be scheduled."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH
from kubelearn.kubectl import options, resources
from kubelearn.kubectl.failures import CommandError, UsageError
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Parsed


async def targets(ctx: Context, parsed: Parsed, command: str) -> tuple[list[Target], list[Exception]]:
    """The nodes that the arguments or the selector name, and the failures."""
    if not parsed.args and not parsed["selector"]:
        raise UsageError(command, f"USAGE: {command} NODE [flags]")
    if parsed.args and parsed["selector"]:
        raise CommandError("cannot specify both a node name and a --selector option")
    nodes = await resources.find(ctx, "nodes")
    if parsed["selector"]:
        return await resources.listed(ctx, parsed, nodes), []
    done: list[Target] = []
    errors: list[Exception] = []
    for name in parsed.args:
        try:
            done.append(await resources.fetch(ctx, Target(nodes, "", name.removeprefix("node/"))))
        except resources.FAILURES as error:
            errors.append(error)
    return done, errors


async def cordon(ctx: Context, target: Target, wanted: bool, dry: str, manager: str) -> str:
    """Set or clear spec.unschedulable; the word for what was done."""
    node: Obj = target.object or {}
    word = "cordoned" if wanted else "uncordoned"
    if bool((node.get("spec") or {}).get("unschedulable")) == wanted:
        return f"already {word}"
    if dry != "client":
        query = {"fieldManager": manager} | ({"dryRun": "All"} if dry == "server" else {})
        change = b'{"spec":{"unschedulable":true}}' if wanted else b'{"spec":{"unschedulable":null}}'
        await ctx.client.patch(target.resource, target.name, "", change, STRATEGIC_MERGE_PATCH, **query)
    return word + options.dry_suffix(dry)
