"""`rollout`: follow, inspect, undo, restart, pause and resume the rollout of a workload."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.client.rest import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from kubelearn.kit import clock
from kubelearn.kubectl import lastapplied, options, resources, rollouts, waiting
from kubelearn.kubectl.describers import _containers
from kubelearn.kubectl.describers._writer import Writer
from kubelearn.kubectl.failures import CommandError, raise_all
from kubelearn.kubectl.printers import choose
from kubelearn.kubectl.printers.encode import to_json
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.printers.tabwriter import aligned
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.rollouts import Revision
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_NOT_CARRIED = {
    lastapplied.ANNOTATION,
    rollouts.REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
}
_UNDO_WARNING = (
    "Warning: resource {0} was previously managed with 'kubectl apply'. Rolling back will not update the "
    "kubectl.kubernetes.io/last-applied-configuration annotation, which may cause unexpected behavior on future "
    "'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.\n"
)

_Each = Callable[[Target], Awaitable[None]]


async def _for_each(ctx: Context, parsed: Parsed, work: _Each) -> int:
    if not parsed.args and not parsed["filename"]:
        raise CommandError("required resource not specified")
    targets, errors = await resources.partly(ctx, parsed, parsed.args, types_mean_all=True)
    if not targets and not errors:
        ctx.err(f"No resources found in {ctx.namespace} namespace.\n")
    for target in targets:
        assert target.object is not None
        target.object = {"apiVersion": target.resource.api_version, "kind": target.resource.kind, **target.object}
        try:
            await work(target)
        except resources.FAILURES as error:
            errors.append(error)
    raise_all(errors)
    return 0


async def _status(ctx: Context, parsed: Parsed) -> int:
    if parsed["revision"] < 0:
        raise CommandError(f"revision must be a positive integer: {parsed['revision']}")

    async def follow(target: Target) -> None:
        def done(obj: Obj | None) -> bool:
            if obj is None:
                raise CommandError("object has been deleted")
            text, over = rollouts.status(obj, target.resource.kind, parsed["revision"])
            ctx.out(text)
            return over or not parsed["watch"]

        try:
            async with asyncio.timeout(parsed["timeout"] or None):
                await waiting.until(ctx, target, done)
        except TimeoutError:
            raise CommandError("timed out waiting for the condition") from None

    return await _for_each(ctx, parsed, follow)


async def _history(ctx: Context, parsed: Parsed) -> int:
    wanted = parsed["revision"]
    if wanted < 0:
        raise CommandError(f"revision must be a positive integer: {wanted}")

    async def show(target: Target) -> None:
        found = await rollouts.revisions(ctx, target, "history viewer")
        if wanted and wanted not in found:
            raise CommandError("unable to find the specified revision")
        if parsed["output"]:
            _print_objects(ctx, parsed, [found[wanted]] if wanted else list(found.values()))
            return
        if wanted:
            ctx.out(f"{target.title} with revision #{wanted}\n{_template(found[wanted].template)}\n")
            return
        if not found:
            ctx.out(f"{target.title} \nNo rollout history found.\n")
            return
        rows = [f"{number}\t{revision.cause}" for number, revision in found.items()]
        ctx.out(f"{target.title} \n" + aligned("\n".join(["REVISION\tCHANGE-CAUSE", *rows])) + "\n\n")

    return await _for_each(ctx, parsed, show)


def _template(template: Obj) -> str:
    """A template in words; kubectl leaves the tabs between its columns."""
    writer = Writer()
    _containers.template(writer, template)
    return writer.raw()


def _print_objects(ctx: Context, parsed: Parsed, found: list[Revision]) -> None:
    show = choose.printer(parsed["output"], parsed["template"], cwd=ctx.cwd)
    for revision in found:
        show(choose.without_managed_fields(revision.object), ctx.out)


async def _undo(ctx: Context, parsed: Parsed) -> int:
    dry = options.dry_run(parsed)
    results = Results(ctx, parsed, dry)

    async def undo(target: Target) -> None:
        assert target.object is not None
        found = await rollouts.revisions(ctx, target, "rollbacker")
        if lastapplied.has(target.object):
            ctx.err(_UNDO_WARNING.format(f"{target.resource.plural}/{target.name}"))
        number = _number(target, found, parsed["to-revision"])
        if dry == "client":
            leading = "" if target.resource.kind == "Deployment" else "will roll back to "
            ctx.out(f"{target.title} {leading}{_template(found[number].template)}{options.dry_suffix(dry)}\n")
            return
        body, media_type = _way_back(target, found[number])
        if body is None:
            shown = parsed["to-revision"] if media_type == STRATEGIC_MERGE_PATCH else number
            results.show(target.object, f"skipped rollback (current template already matches revision {shown})")
            return
        query = {"dryRun": "All"} if dry == "server" else {}
        encoded = to_json(body, None).encode()
        await ctx.client.patch(target.resource, target.name, target.namespace, encoded, media_type, **query)
        results.show(target.object, "rolled back")

    return await _for_each(ctx, parsed, undo)


def _number(target: Target, found: dict[int, Revision], wanted: int) -> int:
    if wanted < 0 or (wanted and wanted not in found):
        raise CommandError(f"unable to find specified revision {wanted} in history")
    if wanted:
        return wanted
    if len(found) < 2:
        of_deployment = f'no rollout history found for deployment "{target.name}"'
        raise CommandError(
            of_deployment if target.resource.kind == "Deployment" else "no last revision to roll back to"
        )
    return sorted(found)[-2]


def _way_back(target: Target, revision: Revision) -> tuple[Any, str]:
    """The patch that brings the revision's template back, None where it is there already; and the patch's type."""
    assert target.object is not None
    spec = target.object["spec"]
    if target.resource.kind != "Deployment":
        same = _same(revision.template, spec["template"])
        return None if same else revision.record["data"], STRATEGIC_MERGE_PATCH
    if spec.get("paused"):
        raise CommandError(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
        )
    template = rollouts.template_without_hash(revision.record)
    change = [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": _annotations(target.object, revision.record)},
    ]
    return None if _same(template, spec["template"]) else change, JSON_PATCH


def _same(a: Obj, b: Obj) -> bool:
    return to_json(_plain(a)) == to_json(_plain(b))


def _plain(template: Obj) -> Obj:
    meta = {k: v for k, v in (template.get("metadata") or {}).items() if v is not None}
    return {**template, "metadata": meta}


def _annotations(deployment: Obj, rs: Obj) -> dict[str, str]:
    """The deployment keeps its own bookkeeping, and takes over what the revision was annotated with."""
    own = deployment["metadata"].get("annotations") or {}
    theirs = rs["metadata"].get("annotations") or {}
    kept = {k: v for k, v in own.items() if k in _NOT_CARRIED}
    return kept | {k: v for k, v in theirs.items() if k not in _NOT_CARRIED}


async def _restart(ctx: Context, parsed: Parsed) -> int:
    stamp = {"kubectl.kubernetes.io/restartedAt": clock.rfc3339(clock.utc_now())}
    change = {"spec": {"template": {"metadata": {"annotations": stamp}}}}

    async def restart(target: Target) -> None:
        assert target.object is not None
        if target.object["spec"].get("paused"):
            why = "can't restart paused deployment (run rollout resume first)"
            raise CommandError(f'{target.resource.group_resource} "{target.name}" {why}')
        if "template" not in target.object["spec"] or target.resource.kind == "ReplicaSet":
            raise CommandError(f'{target.resource.group_resource} "{target.name}" restarting is not supported')
        await _change(ctx, parsed, target, change, "restarted")

    return await _for_each(ctx, parsed, restart)


def _pausing(paused: bool, word: str) -> Callable[[Context, Parsed], Awaitable[int]]:
    async def run(ctx: Context, parsed: Parsed) -> int:
        async def change(target: Target) -> None:
            assert target.object is not None
            name = f'{target.resource.group_resource} "{target.name}"'
            if target.resource.kind != "Deployment":
                raise CommandError(f"{name} {'pausing' if paused else 'resuming'} is not supported")
            if bool(target.object["spec"].get("paused")) == paused:
                raise CommandError(f"{name} is {'already' if paused else 'not'} paused")
            await _change(ctx, parsed, target, {"spec": {"paused": True if paused else None}}, word)

        return await _for_each(ctx, parsed, change)

    return run


async def _change(ctx: Context, parsed: Parsed, target: Target, change: Obj, word: str) -> None:
    body = to_json(change, None).encode()
    query = {"fieldManager": parsed["field-manager"]}
    obj = await ctx.client.patch(target.resource, target.name, target.namespace, body, MERGE_PATCH, **query)
    shown = {"apiVersion": target.resource.api_version, "kind": target.resource.kind, **obj}
    Results(ctx, parsed).show(shown, word)


_COMMON = (*options.FILES, options.SELECTOR)
_WRITE = (*options.PRINT, *_COMMON, options.field_manager("kubectl-rollout"))


def _child(
    name: str,
    summary: str,
    run: Callable[[Context, Parsed], Awaitable[int]],
    flags: tuple[Flag, ...],
    example: str,
) -> Verb:
    usage = f"rollout {name} (TYPE NAME | TYPE/NAME) [flags]"
    return Verb(name, summary, usage, example, flags, run, complete="rollout name")


_REVISION = Flag("revision", kind="int", help="a revision of the history")

VERB = Verb(
    name="rollout",
    summary="Manage the rollout of one or many resources",
    usage="rollout SUBCOMMAND",
    examples="""
# Follow it
kubectl rollout status deployment/web

# Go back
kubectl rollout undo deployment/web
""",
    children=(
        _child(
            "history",
            "View rollout history",
            _history,
            (*options.PRINT, *_COMMON, _REVISION),
            "# All revisions\nkubectl rollout history deployment/web",
        ),
        _child(
            "pause",
            "Mark the provided resource as paused",
            _pausing(True, "paused"),
            _WRITE,
            "# Changes do not roll out until it is resumed\nkubectl rollout pause deployment/web",
        ),
        _child(
            "restart",
            "Restart a resource",
            _restart,
            _WRITE,
            "# New pods, one after the other\nkubectl rollout restart deployment/web",
        ),
        _child(
            "resume",
            "Resume a paused resource",
            _pausing(False, "resumed"),
            _WRITE,
            "# Go on\nkubectl rollout resume deployment/web",
        ),
        _child(
            "status",
            "Show the status of the rollout",
            _status,
            (
                *_COMMON,
                Flag("revision", kind="int", help="only this revision is success"),
                Flag("watch", "w", "bool", True, "follow it to its end"),
                Flag("timeout", kind="duration", help="follow it this long at most; 0: as long as it takes"),
            ),
            "# Follow it to its end\nkubectl rollout status deployment/web",
        ),
        _child(
            "undo",
            "Undo a previous rollout",
            _undo,
            (
                *options.PRINT,
                *_COMMON,
                options.DRY_RUN,
                Flag("to-revision", kind="int", help="the revision to go back to; 0: the one before"),
            ),
            "# To the revision before\nkubectl rollout undo deployment/web",
        ),
    ),
)
