"""`patch`: change fields of an object with a strategic merge, JSON merge or JSON patch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.client.rest import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from kubelearn.kubectl import manifests, options, resources
from kubelearn.kubectl.failures import CommandError, raise_all
from kubelearn.kubectl.printers.encode import to_json
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_TYPES = {"json": JSON_PATCH, "merge": MERGE_PATCH, "strategic": STRATEGIC_MERGE_PATCH}


async def run(ctx: Context, parsed: Parsed) -> int:
    kind = parsed["type"].lower()
    if kind not in _TYPES:
        raise CommandError(f'--type must be one of [json merge strategic], not "{parsed["type"]}"')
    text = _text(ctx, parsed)
    if not text:
        raise CommandError("must specify --patch or --patch-file containing the contents of the patch")
    body = _body(text)
    dry = options.dry_run(parsed)
    targets = await resources.named(ctx, parsed, parsed.args)
    errors: list[Exception] = []
    for target in targets:
        try:
            await _patch(ctx, parsed, target, body, kind, dry)
        except resources.FAILURES as error:
            errors.append(error)
    raise_all(errors)
    return 0


def _text(ctx: Context, parsed: Parsed) -> str:
    if parsed["patch"] and parsed["patch-file"]:
        raise CommandError("cannot specify --patch and --patch-file together")
    if parsed["patch-file"]:
        try:
            return Path(ctx.cwd, str(parsed["patch-file"])).read_text()
        except OSError as error:
            why = f"open {parsed['patch-file']}: {(error.strerror or str(error)).lower()}"
            raise CommandError(f"unable to read patch file: {why}") from error
    return str(parsed["patch"])


def _body(text: str) -> bytes:
    try:
        value = manifests.from_yaml(text)
    except CommandError as error:
        raise CommandError(f'unable to parse "{text}": {error.message}') from error
    return to_json(value, None).encode()


async def _patch(ctx: Context, parsed: Parsed, target: Target, body: bytes, kind: str, dry: str) -> None:
    results = Results(ctx, parsed, "none" if dry == "client" else dry)  # kubectl does not say that it was dry
    type_of = {"apiVersion": target.resource.api_version, "kind": target.resource.kind}
    before = await ctx.client.get(target.resource, target.name, target.namespace, subresource=parsed["subresource"])
    if dry == "client" or parsed["local"]:
        after = _locally({**type_of, **before}, body, kind, target)
    else:
        query: dict[str, Any] = options.write_query(parsed, dry)
        query["subresource"] = parsed["subresource"]
        after = await _sent(ctx, target, body, kind, query)
    same = _without_bookkeeping(before) == _without_bookkeeping(after)
    results.show({**type_of, **after}, "patched (no change)" if same else "patched")


async def _sent(ctx: Context, target: Target, body: bytes, kind: str, query: dict[str, Any]) -> dict[str, Any]:
    r = target.resource
    try:
        return await ctx.client.patch(r, target.name, target.namespace, body, _TYPES[kind], **query)
    except ApiError as error:
        if error.code != 415:
            raise
        what = f"{r.group}/{r.version}, Kind={r.kind}"
        raise CommandError(f"{_TYPES[kind]} is not supported by {what}: {error.message}") from error


def _without_bookkeeping(obj: dict[str, Any]) -> dict[str, Any]:
    meta = {k: v for k, v in obj.get("metadata", {}).items() if k != "managedFields"}
    return {**{k: v for k, v in obj.items() if k not in ("kind", "apiVersion")}, "metadata": meta}


def _locally(obj: dict[str, Any], body: bytes, kind: str, target: Target) -> dict[str, Any]:
    from kubelearn.api import patch, schema

    change = json.loads(body)
    try:
        if kind == "json":
            return patch.json_patch(obj, change)  # type: ignore[no-any-return]
        if kind == "merge":
            return patch.merge_patch(obj, change)  # type: ignore[no-any-return]
        r = target.resource
        return patch.strategic_merge(obj, change, schema.for_kind(r.group, r.version, r.kind))
    except patch.PatchError as error:
        raise CommandError(str(error)) from error


VERB = Verb(
    name="patch",
    summary="Update fields of a resource",
    usage="patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
    examples="""
# Three replicas
kubectl patch deployment web -p '{"spec":{"replicas":3}}'

# A list of steps
kubectl patch configmap web --type=json -p '[{"op":"remove","path":"/data/old"}]'
""",
    flags=(
        *options.PRINT,
        *options.FILES,
        options.DRY_RUN,
        options.LOCAL,
        options.field_manager("kubectl-patch"),
        Flag("patch", "p", help="the patch, as JSON or YAML"),
        Flag("patch-file", help="a file with the patch", complete="files"),
        Flag("type", default="strategic", help="json, merge or strategic", complete="patch-types"),
        Flag("subresource", help="patch this subresource: status, scale", complete="subresources"),
    ),
    run=run,
    complete="resource name",
)
