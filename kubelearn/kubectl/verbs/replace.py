"""`replace`: put a manifest in the place of an object; with --force, delete and create."""

from __future__ import annotations

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.kubectl import lastapplied, manifests, options, resources, waiting
from kubelearn.kubectl.failures import CommandError, UsageError, raise_all
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    if parsed.args:
        raise UsageError("replace", f"Unexpected args: [{' '.join(parsed.args)}]")
    if parsed["grace-period"] >= 0 and not parsed["force"]:
        raise CommandError("--grace-period must have --force specified")
    if parsed["timeout"] and not parsed["force"]:
        raise CommandError("--timeout must have --force specified")
    dry = options.dry_run(parsed)
    results = Results(ctx, parsed, dry)
    targets = []
    try:
        for document in await manifests.load(ctx, parsed, validate=options.field_validation(parsed) != "Ignore"):
            targets.append(await resources.of_document(ctx, parsed, document))
    except manifests.NothingToDo:
        raise CommandError("no objects passed to replace") from None
    if parsed["force"]:
        await _recreate(ctx, parsed, targets, results)
        return 0
    errors: list[Exception] = []
    for target in targets:
        try:
            await _replace(ctx, parsed, target, results, dry)
        except resources.FAILURES as error:
            errors.append(error)
    raise_all(errors)
    return 0


async def _replace(ctx: Context, parsed: Parsed, target: Target, results: Results, dry: str) -> None:
    assert target.object is not None
    if not target.name:
        raise CommandError("resource name may not be empty")
    obj = lastapplied.refreshed(target.object, target.object, parsed["save-config"])
    if dry != "client":
        query = options.write_query(parsed, dry)
        try:
            obj = await _versioned(ctx, target, obj)
            obj = await ctx.client.update(target.resource, obj, subresource=parsed["subresource"], **query)
        except resources.FAILURES as error:
            raise resources.from_source(error, "replacing", target.source) from error
    results.show(obj, "replaced")


async def _versioned(ctx: Context, target: Target, obj: Obj) -> Obj:
    """A manifest that names no version replaces the one that is there: some kinds ask for it."""
    if obj["metadata"].get("resourceVersion"):
        return obj
    try:
        current = await ctx.client.get(target.resource, target.name, target.namespace)
    except ApiError as error:
        if error.reason != "NotFound":
            raise
        return obj
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": current["metadata"]["resourceVersion"]}}


async def _recreate(ctx: Context, parsed: Parsed, targets: list[Target], results: Results) -> None:
    gone: list[tuple[Target, str]] = []
    grace = parsed["grace-period"]
    for target in targets:
        delete_options = {"propagationPolicy": "Background"} | ({"gracePeriodSeconds": grace} if grace >= 0 else {})
        try:
            answer = await ctx.client.delete(target.resource, target.name, target.namespace, options=delete_options)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            continue
        details = answer.get("details") or answer.get("metadata") or {}
        gone.append((target, details.get("uid", "")))
        where = f" from {target.namespace} namespace" if target.namespace else ""
        ctx.out(f'{target.word} "{target.name}" deleted{where}\n')
    await waiting.until_gone(ctx, gone, parsed["timeout"])
    for target in targets:
        assert target.object is not None
        obj = lastapplied.refreshed(target.object, target.object, parsed["save-config"])
        query = options.write_query(parsed)
        results.show(await ctx.client.create(target.resource, obj, target.namespace, **query), "replaced")


VERB = Verb(
    name="replace",
    summary="Replace a resource by file name or stdin",
    usage="replace -f FILENAME",
    examples="""
# As the file says, whatever was there
kubectl replace -f pod.yaml

# Delete, then create again
kubectl replace --force -f pod.yaml
""",
    flags=(
        *options.PRINT,
        *options.FILES,
        options.DRY_RUN,
        options.VALIDATE,
        options.SAVE_CONFIG,
        options.field_manager("kubectl-replace"),
        Flag("force", kind="bool", help="delete the object and create it again"),
        Flag("grace-period", kind="int", default=-1, help="with --force: seconds the pod has to end by itself"),
        Flag("timeout", kind="duration", help="with --force: wait this long for the deletion"),
        Flag("subresource", help="replace this subresource: status", complete="subresources"),
        Flag("cascade", default="background", default_no_value="background", help="dependents: background or orphan"),
        Flag("wait", kind="bool", help="accepted: --force always waits"),
    ),
    run=run,
)
