"""`diff`: what `apply` would change, as the server sees it, by the program `diff`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.rest import APPLY_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from kubelearn.kubectl import lastapplied, manifests, options, resources
from kubelearn.kubectl.failures import CommandError, Exit, report
from kubelearn.kubectl.printers import choose, encode
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_PROGRAM = "diff -u -N"


async def run(ctx: Context, parsed: Parsed) -> int:
    """0: no difference, 1: some, more: failure."""
    try:
        pairs = await _pairs(ctx, parsed)
    except resources.FAILURES as error:
        ctx.err(report(error)[0])
        raise Exit(2) from error
    with _folder("LIVE") as live, _folder("MERGED") as merged:
        for target, before, after in pairs:
            name = _file_name(target)
            if before is not None:
                (live / name).write_text(encode.to_yaml(before))
            (merged / name).write_text(encode.to_yaml(after))
        return await _compare(ctx, str(live), str(merged))


@contextlib.contextmanager
def _folder(name: str) -> Iterator[Path]:
    """`/tmp/LIVE-123456`: digits at the end, as kubectl names it."""
    while True:
        path = Path(tempfile.gettempdir()) / f"{name}-{secrets.randbelow(10**10)}"
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            break
    try:
        yield path
    finally:
        shutil.rmtree(path)


async def _pairs(ctx: Context, parsed: Parsed) -> list[tuple[Target, Obj | None, Obj]]:
    found = []
    for document in await manifests.load(ctx, parsed):
        target = await resources.of_document(ctx, parsed, document)
        before, after = await _both(ctx, parsed, target)
        if target.resource.kind == "Secret":
            before, after = _masked(before, after)
        found.append((target, before, after))
    return found


async def _both(ctx: Context, parsed: Parsed, target: Target) -> tuple[Obj | None, Obj]:
    assert target.object is not None
    kind = {"apiVersion": target.resource.api_version, "kind": target.resource.kind}
    try:
        before: Obj | None = {**kind, **await ctx.client.get(target.resource, target.name, target.namespace)}
    except ApiError as error:
        if error.reason != "NotFound":
            raise
        before = None
    applier = "kubectl" if parsed["server-side"] else "kubectl-client-side-apply"
    query: dict[str, Any] = {"dryRun": "All", "fieldManager": parsed["field-manager"] or applier}
    if parsed["server-side"]:
        query["force"] = bool(parsed["force-conflicts"])
        body = encode.to_json(target.object, None).encode()
        after = await ctx.client.patch(target.resource, target.name, target.namespace, body, APPLY_PATCH, **query)
    elif before is None:
        after = await ctx.client.create(target.resource, target.object, target.namespace, **query)
    else:
        after = await _patched(ctx, target, before, query)
    after = {**kind, **after}
    if not parsed["show-managed-fields"]:
        before = choose.without_managed_fields(before) if before is not None else None
        after = choose.without_managed_fields(after)
    return before, after


async def _patched(ctx: Context, target: Target, before: Obj, query: dict[str, Any]) -> Obj:
    from kubelearn.api import patch, schema

    assert target.object is not None
    r = target.resource
    known = schema.for_kind(r.group, r.version, r.kind)
    text = (before["metadata"].get("annotations") or {}).get(lastapplied.ANNOTATION)
    change = patch.three_way(json.loads(text) if text else {}, lastapplied.without(target.object), before, known)
    body = encode.to_json(change, None).encode()
    kind = STRATEGIC_MERGE_PATCH if known is not None else MERGE_PATCH
    return await ctx.client.patch(r, target.name, target.namespace, body, kind, **query)


def _masked(before: Obj | None, after: Obj) -> tuple[Obj | None, Obj]:
    """Values of secrets, hidden so that only whether they differ is seen."""
    old = (before or {}).get("data") or {}
    new = after.get("data") or {}
    hidden_old, hidden_new = {}, {}
    for key in {*old, *new}:
        changed = key in old and key in new and old[key] != new[key]
        hidden_old[key] = "*** (before)" if changed else "***"
        hidden_new[key] = "*** (after)" if changed else "***"
    masked = {**before, "data": {k: hidden_old[k] for k in old}} if before is not None and old else before
    return masked, {**after, "data": {k: hidden_new[k] for k in new}} if new else after


def _file_name(target: Target) -> str:
    r = target.resource
    return ".".join(part for part in (r.group, r.version, r.kind, target.namespace, target.name) if part)


async def _compare(ctx: Context, live: str, merged: str) -> int:
    program = shlex.split(ctx.env.get("KUBECTL_EXTERNAL_DIFF") or _PROGRAM)
    if len(program) == 1:
        program += ["-u", "-N"]
    try:
        process = await asyncio.create_subprocess_exec(
            *program, live, merged, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except OSError as error:
        raise CommandError(f'failed to run "{program[0]}": {error.strerror}', 2) from error
    out, err = await process.communicate()
    ctx.out(out.decode(errors="replace"))
    if err:
        ctx.err(err.decode(errors="replace"))
    if process.returncode:
        raise Exit(process.returncode)
    return 0


VERB = Verb(
    name="diff",
    summary="Diff the live version against a would-be applied version",
    usage="diff -f FILENAME",
    examples="# What would change\nkubectl diff -f web.yaml",
    flags=(
        *options.FILES,
        options.SELECTOR,
        options.SHOW_MANAGED_FIELDS,
        Flag("field-manager", help="who the server would note as the owner of changed fields"),
        Flag("server-side", kind="bool", help="as server-side apply would do it"),
        Flag("force-conflicts", kind="bool", help="take over fields that others own (with --server-side)"),
        Flag("prune", kind="bool", help="not supported"),
        Flag("concurrency", kind="int", default=1, help="accepted: objects are compared one by one"),
    ),
    run=run,
)
