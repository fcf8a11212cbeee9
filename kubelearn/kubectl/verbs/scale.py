"""`scale`: set how many replicas a workload should have."""

from __future__ import annotations

import asyncio

from kubelearn.api.errors import ApiError
from kubelearn.client.rest import MERGE_PATCH
from kubelearn.kubectl import options, resources, waiting
from kubelearn.kubectl.failures import CommandError, raise_all
from kubelearn.kubectl.flags import require
from kubelearn.kubectl.printers.encode import to_json
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    require(parsed, "replicas")
    if parsed["replicas"] < 0:
        raise CommandError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    dry = options.dry_run(parsed)
    results = Results(ctx, parsed, dry)
    targets, errors = await resources.partly(ctx, parsed, parsed.args)
    for target in targets:
        try:
            obj = await _scale(ctx, parsed, target, dry)
        except resources.FAILURES as error:
            errors.append(error)
            continue
        results.show(obj, "scaled")
    raise_all(errors)
    return 0


async def _scale(ctx: Context, parsed: Parsed, target: Target, dry: str) -> dict[str, object]:
    assert target.object is not None
    obj = {"apiVersion": target.resource.api_version, "kind": target.resource.kind, **target.object}
    _check(parsed, target)
    if dry == "client":
        return obj
    body = to_json({"spec": {"replicas": parsed["replicas"]}}, None).encode()
    query = {"dryRun": "All"} if dry == "server" else {}
    try:
        await ctx.client.patch(
            target.resource, target.name, target.namespace, body, MERGE_PATCH, subresource="scale", **query
        )
    except ApiError as error:
        if error.code in (404, 405) and "scale" not in target.resource.subresources:
            missing = "the server could not find the requested resource"
            raise ApiError(404, "NotFound", missing) from error
        raise
    if parsed["timeout"]:
        await _until_scaled(ctx, parsed, target)
    return {**obj, "spec": {**(obj.get("spec") or {}), "replicas": parsed["replicas"]}}


def _check(parsed: Parsed, target: Target) -> None:
    """The preconditions that the flags name."""
    assert target.object is not None
    now = (target.object.get("spec") or {}).get("replicas", 0)
    wanted = parsed["current-replicas"]
    if wanted >= 0 and now != wanted:
        raise CommandError(f"Expected replicas to be {wanted}, was {now}")
    version = target.object["metadata"].get("resourceVersion", "")
    if parsed["resource-version"] and version != parsed["resource-version"]:
        raise CommandError(f"Expected resource version to be {parsed['resource-version']}, was {version}")


async def _until_scaled(ctx: Context, parsed: Parsed, target: Target) -> None:
    try:
        async with asyncio.timeout(parsed["timeout"]):
            await waiting.until(
                ctx,
                target,
                lambda o: o is not None and (o.get("status") or {}).get("replicas", 0) == parsed["replicas"],
            )
    except TimeoutError:
        raise CommandError("timed out waiting for the condition") from None


VERB = Verb(
    name="scale",
    summary="Set a new size for a deployment, replica set, or replication controller",
    usage="scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
    examples="""
# Five of them
kubectl scale deployment web --replicas=5

# Only if there are three now
kubectl scale deployment web --current-replicas=3 --replicas=5
""",
    flags=(
        *options.PRINT,
        *options.FILES,
        options.SELECTOR,
        options.ALL,
        options.DRY_RUN,
        Flag("replicas", kind="int", help="how many there should be"),
        Flag("current-replicas", kind="int", default=-1, help="only if there are this many now"),
        Flag("resource-version", help="only if the object still has this resourceVersion"),
        Flag("timeout", kind="duration", help="wait this long for the replicas to be there"),
    ),
    run=run,
    complete="scalable name",
)
