"""`create`: objects from manifests; its sub-commands make one from flags."""

from __future__ import annotations

from typing import Any

from kubelearn.kit import discover
from kubelearn.kubectl import creating, lastapplied, manifests, options, resources
from kubelearn.kubectl.failures import CommandError, UsageError, raise_all
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    if parsed.args:
        raise UsageError("create", f"Unexpected args: [{' '.join(parsed.args)}]")
    if parsed["raw"] or parsed["edit"]:
        raise CommandError("--raw and --edit are not supported by kubelearn's kubectl create")
    dry = options.dry_run(parsed)
    results = Results(ctx, parsed, dry)
    query = options.write_query(parsed, dry)
    errors: list[Exception] = []
    documents = await manifests.load(ctx, parsed, validate=query["fieldValidation"] != "Ignore")
    while True:
        try:
            document = next(documents, None)
        except manifests.NothingToDo:
            raise CommandError("no objects passed to create") from None
        except CommandError as error:
            errors.append(error)
            break
        if document is None:
            break
        try:
            await _create(ctx, parsed, document, results, query, dry)
        except resources.FAILURES as error:
            errors.append(error)
    raise_all(errors)
    return 0


async def _create(
    ctx: Context,
    parsed: Parsed,
    document: manifests.Document,
    results: Results,
    query: dict[str, Any],
    dry: str,
) -> None:
    target = await resources.of_document(ctx, parsed, document)
    assert target.object is not None
    obj = lastapplied.annotated(target.object) if parsed["save-config"] else target.object
    if dry != "client":
        try:
            obj = await ctx.client.create(target.resource, obj, target.namespace, **query)
        except resources.FAILURES as error:
            raise resources.from_source(error, "creating", document.source) from error
    results.show(obj, "created")


VERB = Verb(
    name="create",
    summary="Create a resource from a file or from stdin",
    usage="create -f FILENAME",
    examples="""
# From a file
kubectl create -f pod.yaml

# From standard input
cat pod.yaml | kubectl create -f -

# From flags: see the help of each sub-command
kubectl create deployment web --image=kubelearn/web:v1
""",
    flags=(
        *creating.flags(),
        *options.FILES,
        options.SELECTOR,
        Flag("edit", kind="bool", help="not supported"),
        Flag("raw", help="not supported"),
        Flag("windows-line-endings", kind="bool", help="only meaningful with --edit"),
    ),
    run=run,
    children=tuple(discover.discover("kubelearn.kubectl.generators", "VERB", Verb).values()),
)
