"""`apply`: make the server's objects as the manifests say, by a three-way patch or by server-side apply."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.rest import APPLY_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from kubelearn.kubectl import lastapplied, manifests, options, remembering, resources, takeover
from kubelearn.kubectl.failures import CommandError, UsageError, raise_all
from kubelearn.kubectl.printers import choose, encode
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

if TYPE_CHECKING:
    from kubelearn.api.schema import Type

_MANAGER = "kubectl-client-side-apply"
_MISSING = (
    "Warning: resource {0} is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is "
    "required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create "
    "--save-config or kubectl apply. The missing annotation will be patched automatically.\n"
)
_CONFLICT = """
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""


async def run(ctx: Context, parsed: Parsed) -> int:
    _check(parsed)
    dry = options.dry_run(parsed)
    results = Results(ctx, parsed, dry)
    one = _server_side if parsed["server-side"] else _client_side
    targets, errors = await _targets(ctx, parsed)
    for target in targets:
        try:
            await one(ctx, parsed, target, results, dry)
        except resources.FAILURES as error:
            errors.append(error)
    raise_all(errors)
    return 0


def _check(parsed: Parsed) -> None:
    if parsed.args:
        raise UsageError("apply", f"Unexpected args: [{' '.join(parsed.args)}]")
    if parsed["prune"]:
        raise CommandError("--prune is not supported: delete what is no longer wanted by name or label")
    if parsed["force-conflicts"] and not parsed["server-side"]:
        raise CommandError("--force-conflicts only works with --server-side")
    if parsed["server-side"] and options.dry_run(parsed) == "client":
        raise CommandError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")


async def _targets(ctx: Context, parsed: Parsed) -> tuple[list[Target], list[Exception]]:
    """What the manifests hold, and what is wrong with the rest of them."""
    targets: list[Target] = []
    errors: list[Exception] = []
    documents = await manifests.load(ctx, parsed, validate=options.field_validation(parsed) != "Ignore")
    try:
        for document in documents:
            try:
                targets.append(await resources.of_document(ctx, parsed, document))
            except CommandError as error:
                errors.append(error)
    except manifests.NothingToDo:
        raise CommandError("no objects passed to apply") from None
    except CommandError as error:
        errors.append(error)
    return targets, errors


async def _client_side(ctx: Context, parsed: Parsed, target: Target, results: Results, dry: str) -> None:
    assert target.object is not None
    wanted = lastapplied.annotated(target.object)
    query = {**options.write_query(parsed, dry), "fieldManager": parsed["field-manager"] or _MANAGER}
    current = await _current(ctx, target)
    if current is None:
        made = wanted if dry == "client" else await _create(ctx, target, wanted, query)
        results.show(made, "created")
        return
    if dry == "client":
        change, known = _change(target, wanted, current)
        merged = _merged(current, change, known)
        shown = {**merged, **_kind(target)} if results.prints_objects else target.object
        results.show(shown, "configured" if change else "unchanged")
        return
    if not lastapplied.has(current):
        ctx.err(_MISSING.format(f"{target.resource.plural}/{target.name}"))
    changed, after = await _patch(ctx, target, wanted, current, query)
    if after["metadata"].get("deletionTimestamp"):
        ctx.err(f"Warning: Detected changes to resource {target.name} which is currently being deleted.\n")
    results.show({**after, **_kind(target)}, "configured" if changed else "unchanged")


def _merged(current: Obj, change: Obj, known: Type | None) -> Obj:
    """What the patch would make of `current`, without asking the server."""
    from kubelearn.api import patch as patches

    return patches.strategic_merge(current, change, known) if known else patches.merge_patch(current, change)


def _change(target: Target, wanted: Obj, current: Obj) -> tuple[Obj, Type | None]:
    """The three-way patch from what was applied last, and the schema that it goes by."""
    from kubelearn.api import patch as patches
    from kubelearn.api import schema

    resource = target.resource
    known = schema.for_kind(resource.group, resource.version, resource.kind)
    text = ((current.get("metadata") or {}).get("annotations") or {}).get(lastapplied.ANNOTATION)
    original = json.loads(text) if text else {}
    return patches.three_way(original, wanted, {**current, **_kind(target)}, known), known


def _kind(target: Target) -> Obj:
    return {"apiVersion": target.resource.api_version, "kind": target.resource.kind}


async def _current(ctx: Context, target: Target) -> Obj | None:
    what = f"retrieving current configuration of:\n{_info(target)}\nfrom server for:"
    if not target.name:
        generated = ((target.object or {}).get("metadata") or {}).get("generateName")
        if generated:
            raise CommandError(f"from {generated}: cannot use generate name with apply")
        raise resources.from_source(CommandError("resource name may not be empty"), what, target.source)
    try:
        return await ctx.client.get(target.resource, target.name, target.namespace)
    except ApiError as error:
        if error.reason == "NotFound":
            return None
        raise resources.from_source(error, what, target.source) from error


async def _create(ctx: Context, target: Target, wanted: Obj, query: dict[str, Any]) -> Obj:
    try:
        return await ctx.client.create(target.resource, wanted, target.namespace, **query)
    except resources.FAILURES as error:
        raise resources.from_source(error, "creating", target.source) from error


async def _patch(
    ctx: Context, target: Target, wanted: Obj, current: Obj, query: dict[str, Any], attempts: int = 5
) -> tuple[bool, Obj]:
    """Whether anything changed, and the object after it. A conflict is tried again on the newer object."""
    change, known = _change(target, wanted, current)
    if not change:
        return False, current
    body = encode.to_json(change, None).encode()
    media_type = STRATEGIC_MERGE_PATCH if known is not None else MERGE_PATCH
    resource = target.resource
    try:
        return True, await ctx.client.patch(resource, target.name, target.namespace, body, media_type, **query)
    except ApiError as error:
        if error.reason == "Conflict" and attempts > 1:
            newer = await ctx.client.get(resource, target.name, target.namespace)
            return await _patch(ctx, target, wanted, newer, query, attempts - 1)
        what = f"applying patch:\n{body.decode()}\nto:\n{_info(target)}\nfor:"
        patching = resources.from_source(error, "patching", target.source)
        raise resources.from_source(patching, what, target.source) from error


def _info(target: Target) -> str:
    """How messages of kubectl describe what they are about."""
    r = target.resource
    version = f"{r.group}/{r.version}"
    return (
        f'Resource: "{version}, Resource={r.plural}", GroupVersionKind: "{version}, Kind={r.kind}"\n'
        f'Name: "{target.name}", Namespace: "{target.namespace}"'
    )


async def _server_side(ctx: Context, parsed: Parsed, target: Target, results: Results, dry: str) -> None:
    assert target.object is not None
    manager = parsed["field-manager"] or takeover.APPLIER
    query = {**options.write_query(parsed, dry), "fieldManager": manager}
    query["force"] = bool(parsed["force-conflicts"])
    body = encode.to_json(target.object, None).encode()
    where = target.resource, target.name, target.namespace
    try:
        after = await ctx.client.patch(*where, body, APPLY_PATCH, **query)
        # What client-side apply set and this manifest no longer has goes once its owner has moved.
        if manager == takeover.APPLIER and dry == "none" and await takeover.take_over(ctx.client, target, after):
            after = await ctx.client.patch(*where, body, APPLY_PATCH, **query)
    except ApiError as error:
        if error.reason == "Conflict":
            raise CommandError(error.message + _CONFLICT) from error
        raise resources.from_source(error, "applying", "") from error
    results.show({**after, **_kind(target)}, "serverside-applied")


async def _view(ctx: Context, parsed: Parsed) -> int:
    """`apply view-last-applied`."""
    targets = await resources.objects(ctx, parsed, parsed.args)
    for target in targets:
        assert target.object is not None
        text = (target.object["metadata"].get("annotations") or {}).get(lastapplied.ANNOTATION)
        if text:  # kubectl says nothing of an object that was never applied
            choose.printer(parsed["output"] or "yaml")(json.loads(text), ctx.out)
    return 0


_VIEW = Verb(
    "view-last-applied",
    "View the latest last-applied-configuration annotations of a resource/object",
    "apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
    "# What was applied last\nkubectl apply view-last-applied deployment/web",
    (
        Flag("output", "o", default="yaml", help="yaml or json", complete="outputs"),
        *options.FILES,
        options.SELECTOR,
        options.ALL,
    ),
    _view,
    complete="resource name",
)

VERB = Verb(
    name="apply",
    summary="Apply a configuration to a resource by file name or stdin",
    usage="apply (-f FILENAME | -k DIRECTORY)",
    examples="""
# Make it so
kubectl apply -f web.yaml

# What would change, as the server sees it
kubectl apply -f web.yaml --dry-run=server
""",
    flags=(
        *options.PRINT,
        *options.FILES,
        options.DRY_RUN,
        options.VALIDATE,
        options.SELECTOR,
        options.ALL,
        Flag("field-manager", help="who the server notes as the owner of the fields"),
        Flag("server-side", kind="bool", help="let the server merge, and track who owns which field"),
        Flag("force-conflicts", kind="bool", help="take over fields that others own (with --server-side)"),
        Flag("overwrite", kind="bool", default=True, help="settle conflicts in favour of the manifest"),
        Flag("prune", kind="bool", help="not supported"),
        Flag("wait", kind="bool", help="accepted, only meaningful with --prune"),
    ),
    run=run,
    children=(remembering.VERB, _VIEW),
)
