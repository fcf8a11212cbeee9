"""Pod templates inside workloads, and the change of one field in them: what `set` does."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from kubelearn.api import patch as patches
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH
from kubelearn.kubectl import options, resources
from kubelearn.kubectl.failures import CommandError, raise_all
from kubelearn.kubectl.printers.encode import to_json
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed

FLAGS: tuple[Flag, ...] = (
    *options.PRINT,
    *options.FILES,
    options.SELECTOR,
    options.ALL,
    options.DRY_RUN,
    options.LOCAL,
    options.field_manager("kubectl-set"),
)

Change = Callable[[Obj], None]


def pod_spec(obj: Obj) -> Obj:
    """The pod spec inside an object, to be changed in place. Raises CommandError for one without."""
    kind, spec = obj.get("kind", ""), obj.get("spec") or {}
    if kind == "Pod":
        return spec
    if kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    template = (spec.get("template") or {}).get("spec")
    if template is None:
        name, version = (obj.get("metadata") or {}).get("name", ""), obj.get("apiVersion", "").rpartition("/")[2]
        why = f"the object is not a pod or does not have a pod template: *{version}.{kind}"
        raise CommandError(f"{kind.lower()}/{name} {why}")
    found: Obj = template
    return found


def containers(spec: Obj, pattern: str = "*") -> list[Obj]:
    """Those whose names match, init containers too."""
    every = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    return [c for c in every if fnmatchcase(c["name"], pattern)]


async def targets(ctx: Context, parsed: Parsed, about: list[str]) -> list[Target]:
    """Fetched objects, or with --local those of the manifests."""
    if parsed["local"]:
        found = await resources.named(ctx, parsed, about)
        return [t for t in found if t.object is not None]
    return await resources.objects(ctx, parsed, about)


async def change(ctx: Context, parsed: Parsed, found: list[Target], work: Change, done: str, failed: str) -> int:
    """Apply `work` to each object and send what it changed; `done` is said of each that changed, `failed` before
    the server's words where it refuses."""
    dry = options.dry_run(parsed)
    results = Results(ctx, parsed, dry)
    errors: list[Exception] = []
    for target in found:
        assert target.object is not None
        before: Obj = {"apiVersion": target.resource.api_version, "kind": target.resource.kind, **target.object}
        after: Obj = patches.copy(before)
        try:
            work(after)
            if after == before:
                continue
            await _send(ctx, parsed, target, before, after, results, dry, done)
        except ApiError as error:
            errors.append(CommandError(f"failed to patch {failed} {error.message}"))
        except resources.FAILURES as error:
            errors.append(error)
    raise_all(errors)
    return 0


async def _send(
    ctx: Context, parsed: Parsed, target: Target, before: Obj, after: Obj, results: Results, dry: str, done: str
) -> None:
    if parsed["local"] or dry == "client":
        results.show(after, done)
        return
    from kubelearn.api import schema

    r = target.resource
    known = schema.for_kind(r.group, r.version, r.kind)
    body = to_json(patches.three_way(before, after, before, known), None).encode()
    query: dict[str, Any] = options.write_query(parsed, dry)
    sent = await ctx.client.patch(r, target.name, target.namespace, body, STRATEGIC_MERGE_PATCH, **query)
    results.show({"apiVersion": r.api_version, "kind": r.kind, **sent}, done)
