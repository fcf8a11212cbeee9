"""`apply set-last-applied`: note a manifest as what was applied last, without applying it."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.client.rest import MERGE_PATCH
from kubelearn.kubectl import lastapplied, manifests, options, resources
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers.encode import to_json
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def _run(ctx: Context, parsed: Parsed) -> int:
    dry = options.dry_run(parsed)
    results = Results(ctx, parsed, dry)
    for document in await manifests.load(ctx, parsed):
        await _note(ctx, parsed, await resources.of_document(ctx, parsed, document), results, dry)
    return 0


async def _note(ctx: Context, parsed: Parsed, target: Target, results: Results, dry: str) -> None:
    assert target.object is not None
    r = target.resource
    current = await ctx.client.get(r, target.name, target.namespace)
    if not lastapplied.has(current) and not parsed["create-annotation"]:
        why = f"no last-applied-configuration annotation found on resource: {target.name}"
        raise CommandError(f"{why}, to create the annotation, run the command with --create-annotation")
    noted = _text(target.object)
    if (current["metadata"].get("annotations") or {}).get(lastapplied.ANNOTATION) == noted:
        ctx.out(f"set-last-applied {target.name}: no changes required.\n")
        return
    after = current
    if dry != "client":
        body = to_json({"metadata": {"annotations": {lastapplied.ANNOTATION: noted}}}, None).encode()
        query = {"fieldManager": "kubectl-set-last-applied"} | ({"dryRun": "All"} if dry == "server" else {})
        after = await ctx.client.patch(r, target.name, target.namespace, body, MERGE_PATCH, **query)
    results.show({"apiVersion": r.api_version, "kind": r.kind, **after}, "configured")


def _text(obj: Obj) -> str:
    """As `apply` would note it, but for the annotations that it adds where there are none."""
    plain = lastapplied.without(obj)
    if not plain["metadata"]["annotations"]:
        del plain["metadata"]["annotations"]
    return to_json(plain, None) + "\n"


VERB = Verb(
    "set-last-applied",
    "Set the last-applied-configuration annotation on a live object to match the contents of a file",
    "apply set-last-applied -f FILENAME",
    "# Remember it as applied\nkubectl apply set-last-applied -f web.yaml --create-annotation=true",
    (
        *options.PRINT,
        *options.FILES,
        options.DRY_RUN,
        Flag("create-annotation", kind="bool", help="where there is none yet, too"),
    ),
    _run,
)
