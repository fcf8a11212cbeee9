"""`delete`: by name, by type and selector, or by manifest; waits until the objects are gone."""

from __future__ import annotations

from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.kubectl import options, resources, waiting
from kubelearn.kubectl.failures import CommandError, raise_all
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_IMMEDIATE = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. "
    "The resource may continue to run on the cluster indefinitely.\n"
)
_CASCADE = {
    "background": "Background",
    "foreground": "Foreground",
    "orphan": "Orphan",
    "true": "Background",
    "false": "Orphan",
}


async def run(ctx: Context, parsed: Parsed) -> int:
    grace = _grace(ctx, parsed)
    dry = options.dry_run(parsed)
    delete_options = _delete_options(parsed, grace)
    ignore = parsed["ignore-not-found"] or (_selects(parsed) and "ignore-not-found" not in parsed.given)
    targets = await resources.named(ctx, parsed, parsed.args)
    errors: list[Exception] = []
    gone: list[tuple[Target, str]] = []
    for target in targets:
        try:
            uid = await _delete(ctx, target, delete_options, dry)
        except ApiError as error:
            if not (ignore and error.reason == "NotFound"):
                errors.append(resources.from_source(error, "deleting", target.source))
            continue
        _say(ctx, parsed, target, grace, dry)
        gone.append((target, uid))
    if not targets:
        ctx.out("No resources found\n")
    if parsed["wait"] and dry == "none":
        await waiting.until_gone(ctx, gone, parsed["timeout"])
    raise_all(errors)
    return 0


def _selects(parsed: Parsed) -> bool:
    return bool(parsed["all"] or parsed["selector"] or parsed["field-selector"])


def _grace(ctx: Context, parsed: Parsed) -> int:
    grace: int = parsed["grace-period"]
    if parsed["now"]:
        if grace >= 0:
            raise CommandError("--now and --grace-period cannot be specified together")
        return 1
    if parsed["force"]:
        if grace > 0:
            raise CommandError("--force and --grace-period greater than 0 cannot be specified together")
        ctx.err(_IMMEDIATE)
        return 0
    return 1 if grace == 0 else grace


def _delete_options(parsed: Parsed, grace: int) -> dict[str, Any]:
    cascade = parsed["cascade"]
    if cascade not in _CASCADE:
        raise CommandError(f'invalid cascade value ({cascade}). Must be "background", "foreground", or "orphan"')
    found: dict[str, Any] = {"propagationPolicy": _CASCADE[cascade]}
    if grace >= 0:
        found["gracePeriodSeconds"] = grace
    return found


async def _delete(ctx: Context, target: Target, delete_options: dict[str, Any], dry: str) -> str:
    """The uid of what was deleted, if the server says it."""
    if dry == "client":
        if target.object is None or target.source:
            await ctx.client.get(target.resource, target.name, target.namespace)
        return ""
    sent = {**delete_options, "dryRun": ["All"]} if dry == "server" else delete_options
    answer = await ctx.client.delete(target.resource, target.name, target.namespace, options=sent)
    if answer.get("kind") == "Status":
        return str((answer.get("details") or {}).get("uid", ""))
    return str(answer.get("metadata", {}).get("uid", ""))


def _say(ctx: Context, parsed: Parsed, target: Target, grace: int, dry: str) -> None:
    if parsed["output"] == "name":
        ctx.out(f"{target.title}\n")
        return
    done = "force deleted" if grace == 0 else "deleted"
    where = f" from {target.namespace} namespace" if target.namespace else ""
    ctx.out(f'{target.word} "{target.name}" {done}{where}{options.dry_suffix(dry)}\n')


VERB = Verb(
    name="delete",
    summary="Delete resources by file names, stdin, resources and names, or by resources and label selector",
    usage="delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])",
    examples="""
# One pod
kubectl delete pod web-1

# What a manifest describes
kubectl delete -f web.yaml

# By label; at once
kubectl delete pods -l app=web --now
""",
    flags=(
        *options.FILES,
        options.SELECTOR,
        options.FIELD_SELECTOR,
        options.ALL,
        options.ALL_NAMESPACES,
        options.DRY_RUN,
        Flag("output", "o", help="name: print names only", complete="outputs"),
        Flag(
            "cascade",
            default="background",
            default_no_value="background",
            help="dependents: background, foreground or orphan",
        ),
        Flag("force", kind="bool", help="remove at once, without waiting for the kubelet's word"),
        Flag("grace-period", kind="int", default=-1, help="seconds the pod has to end by itself; negative: its own"),
        Flag("now", kind="bool", help="a grace period of one second"),
        Flag("wait", kind="bool", default=True, help="return when the objects are gone"),
        Flag("timeout", kind="duration", help="wait this long at most; 0: as long as it takes"),
        Flag("ignore-not-found", kind="bool", help="what does not exist is no error"),
        Flag("interactive", "i", "bool", help="ask before deleting"),
    ),
    run=run,
    complete="resource name",
)
