"""`edit`: an object in your editor, and what you changed sent to the server."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import tempfile
from pathlib import Path

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.rest import MERGE_PATCH, STRATEGIC_MERGE_PATCH
from kubelearn.kubectl import manifests, options, resources
from kubelearn.kubectl.failures import CommandError, message_of
from kubelearn.kubectl.printers import choose, encode
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_HEAD = """\
# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""


async def run(ctx: Context, parsed: Parsed) -> int:
    if parsed["output"] not in ("yaml", "json"):
        raise CommandError("The flag 'output' must be one of yaml|json")
    targets = await resources.objects(ctx, parsed, parsed.args)
    changed = False
    for target in targets:
        changed = await _edit(ctx, parsed, target) or changed
    if not changed:
        ctx.err("Edit cancelled, no changes made.\n")
    return 0


async def _edit(ctx: Context, parsed: Parsed, target: Target) -> bool:
    """Until it is accepted, or nothing is changed any more."""
    assert target.object is not None
    before: Obj = {"apiVersion": target.resource.api_version, "kind": target.resource.kind, **target.object}
    before = choose.without_managed_fields(before)
    as_json = parsed["output"] == "json"
    body = encode.to_json(before) + "\n" if as_json else encode.to_yaml(before)
    reason = ""
    while True:
        edited = await _in_editor(ctx, _HEAD + reason + body, ".json" if as_json else ".yaml")
        lines = [line for line in edited.splitlines(keepends=True) if not line.startswith("#")]
        text = "".join(lines)
        if not text.strip() or text == body:
            return False
        try:
            after = manifests.from_yaml(text)
            await _send(ctx, parsed, target, before, after)
            return True
        except (CommandError, ApiError) as error:
            reason = "".join(f"# {line}\n" for line in message_of(error).splitlines()) + "#\n"
            body = text


async def _send(ctx: Context, parsed: Parsed, target: Target, before: Obj, after: Obj) -> None:
    from kubelearn.api import patch, schema

    r = target.resource
    known = schema.for_kind(r.group, r.version, r.kind)
    change = patch.three_way(before, after, before, known)
    if not change:
        return
    query = {"fieldManager": parsed["field-manager"], "fieldValidation": options.field_validation(parsed)}
    kind = STRATEGIC_MERGE_PATCH if known is not None else MERGE_PATCH
    obj = await ctx.client.patch(r, target.name, target.namespace, json.dumps(change).encode(), kind, **query)
    plain = Parsed(parsed.args, None, {**parsed.flags, "output": ""}, parsed.given)
    Results(ctx, plain).show({"apiVersion": r.api_version, "kind": r.kind, **obj}, "edited")


async def _in_editor(ctx: Context, text: str, suffix: str) -> str:
    editor = ctx.env.get("KUBE_EDITOR") or ctx.env.get("EDITOR") or "vi"
    if not ctx.stdin.is_tty and "KUBE_EDITOR" not in ctx.env and "EDITOR" not in ctx.env:
        raise CommandError("edit needs a terminal; use: kubectl patch, or kubectl get -o yaml and kubectl apply")
    with tempfile.TemporaryDirectory(prefix="kubectl-edit-") as folder:
        path = Path(folder) / f"object{suffix}"
        path.write_text(text)
        try:
            process = await asyncio.create_subprocess_exec(*shlex.split(editor), str(path), stdin=sys.stdin)
        except OSError as error:
            raise CommandError(f'unable to launch the editor "{editor}"') from error
        if await process.wait():
            raise CommandError(f'there was a problem with the editor "{editor}"')
        return path.read_text()


VERB = Verb(
    name="edit",
    summary="Edit a resource on the server",
    usage="edit (RESOURCE/NAME | -f FILENAME)",
    examples="# In your editor\nkubectl edit deployment/web",
    flags=(
        *options.FILES,
        options.VALIDATE,
        options.field_manager("kubectl-edit"),
        Flag("output", "o", default="yaml", help="edit as yaml or json", complete="outputs"),
    ),
    run=run,
    complete="resource name",
)
