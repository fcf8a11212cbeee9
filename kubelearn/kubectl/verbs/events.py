"""`events`: what happened, in the order it happened."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kit import clock
from kubelearn.kubectl import options, resources
from kubelearn.kubectl.describers._writer import interval
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers import choose
from kubelearn.kubectl.printers.tabwriter import TabWriter
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    wanted = {t.lower() for t in parsed["types"]}
    if wanted - {"normal", "warning"}:
        raise CommandError("valid --types are Normal or Warning")
    fields = await _fields(ctx, parsed)
    resource = await resources.find(ctx, "events")
    namespace = "" if parsed["all-namespaces"] else ctx.namespace
    answer = await ctx.client.list(resource, namespace, field_selector=fields)
    found = [e for e in answer["items"] if not wanted or e.get("type", "").lower() in wanted]
    found.sort(key=_when)
    if not found and not parsed["watch"]:
        _say_nothing(ctx, parsed)
        return 0
    if parsed["output"]:
        items = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": found}
        choose.printer(parsed["output"], parsed["template"], cwd=ctx.cwd, allowed=choose.ALLOWED_RESULTS)(
            items, ctx.out
        )
        return 0
    writer = TabWriter(remember=True)
    if not parsed["no-headers"]:
        writer.write(("NAMESPACE\t" if parsed["all-namespaces"] else "") + "LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n")
    for event in found:
        writer.write(_row(event, parsed["all-namespaces"]))
    ctx.out(writer.take())
    if parsed["watch"]:
        await _watch(ctx, parsed, fields, answer["metadata"].get("resourceVersion", ""), wanted, writer)
    return 0


async def _watch(ctx: Context, parsed: Parsed, fields: str, version: str, wanted: set[str], writer: TabWriter) -> None:
    resource = await resources.find(ctx, "events")
    namespace = "" if parsed["all-namespaces"] else ctx.namespace
    async for event in ctx.client.watch(resource, namespace, resource_version=version, field_selector=fields):
        if event.type in ("ADDED", "MODIFIED") and (not wanted or event.object.get("type", "").lower() in wanted):
            writer.write(_row(event.object, parsed["all-namespaces"]))
            ctx.out(writer.take())


async def _fields(ctx: Context, parsed: Parsed) -> str:
    if not parsed["for"]:
        return ""
    kind, slash, name = parsed["for"].partition("/")
    if not slash or not name:
        raise CommandError("--for must be in resource/name form")
    resource = await resources.find(ctx, kind)
    return f"involvedObject.kind={resource.kind},involvedObject.name={name}"


def _when(event: Obj) -> float:
    """Old events know whole seconds, new ones parts of them."""
    series = event.get("series") or {}
    text = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return clock.parse(text).timestamp() if text else 0.0


def _row(event: Obj, with_namespace: bool) -> str:
    about = event.get("involvedObject") or {}
    cells = [event["metadata"].get("namespace", "")] if with_namespace else []
    cells += [interval(event), event.get("type", ""), event.get("reason", "")]
    cells += [f"{about.get('kind', '')}/{about.get('name', '')}", (event.get("message") or "").strip()]
    return "\t".join(cells) + "\n"


def _say_nothing(ctx: Context, parsed: Parsed) -> None:
    where = "" if parsed["all-namespaces"] else f" in {ctx.namespace} namespace"
    ctx.err(f"No events found{where}.\n")


VERB = Verb(
    name="events",
    summary="List events",
    usage="events [(-o|--output=)json|yaml|name] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]",
    examples="# What happened to one pod\nkubectl events --for pod/web-1",
    flags=(
        *options.PRINT,
        options.ALL_NAMESPACES,
        Flag("for", help="only events about this object: TYPE/NAME"),
        Flag("types", kind="strings", help="only Normal, or only Warning"),
        Flag("watch", "w", "bool", help="after listing, show each new one"),
        Flag("no-headers", kind="bool", help="no line of headers"),
        Flag("chunk-size", kind="int", default=500, help="accepted: events are listed at once"),
    ),
    run=run,
)
