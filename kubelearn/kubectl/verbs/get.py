"""`get`: objects as the server's tables, or whole as YAML, JSON, paths and columns; once, or watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.rest import whole
from kubelearn.kubectl import options, resources
from kubelearn.kubectl.failures import CommandError, PlainError, Several, raise_all
from kubelearn.kubectl.printers import choose, order
from kubelearn.kubectl.printers.table import TablePrinter
from kubelearn.kubectl.printers.tabwriter import TabWriter
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_NOTHING = (
    'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported '
    "resources.\n\nerror: Required resource not specified.\n"
    'Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).\n'
    "See 'kubectl get -h' for help and examples"
)
_ONE_WATCH = "watch is only supported on individual resources and resource collections - more than 1 resource was found"


@dataclass(slots=True)
class _Piece:
    """What one request answers: a Table or an object, and the resource it is of. `name` empty: a list."""

    resource: Resource
    namespace: str
    name: str
    answer: Obj = field(default_factory=dict)


async def run(ctx: Context, parsed: Parsed) -> int:
    if parsed["raw"]:
        return await _raw(ctx, parsed)
    _check(parsed)
    pieces = await _pieces(ctx, parsed)
    if parsed["watch"] or parsed["watch-only"]:
        return await _watch(ctx, parsed, pieces)
    errors = await _ask(ctx, parsed, pieces)
    if not _human(parsed):
        return _print_objects(ctx, parsed, pieces, errors)
    return _print_tables(ctx, parsed, pieces, errors)


def _human(parsed: Parsed) -> bool:
    return parsed["output"] in ("", "wide")


def _check(parsed: Parsed) -> None:
    if not parsed.args and not parsed["filename"]:
        raise PlainError(_NOTHING)
    if parsed["show-labels"] and not _human(parsed):
        raise CommandError(f"--show-labels option cannot be used with {parsed['output']} printer")
    if parsed["output-watch-events"] and not (parsed["watch"] or parsed["watch-only"]):
        raise CommandError("--output-watch-events option can only be used with --watch or --watch-only")


async def _raw(ctx: Context, parsed: Parsed) -> int:
    if parsed.args:
        raise CommandError("arguments may not be passed when --raw is specified")
    if not parsed["raw"].startswith("/"):
        why = f'parse "{parsed["raw"]}": invalid URI for request'
        raise CommandError(f"--raw must be a valid URL path: {why}")
    path, _, query = parsed["raw"].partition("?")
    from urllib.parse import parse_qsl

    response = await ctx.client.request(
        "GET", path, query=parse_qsl(query), headers={"accept": "application/json, */*"}
    )
    ctx.raw(await whole(response))
    return 0


async def _pieces(ctx: Context, parsed: Parsed) -> list[_Piece]:
    """What to ask for, in the order of the arguments."""
    if parsed["filename"]:
        targets = await resources.named(ctx, parsed, parsed.args)
        return [_Piece(t.resource, t.namespace, t.name) for t in targets]
    what = await resources.wanted(ctx, parsed.args)
    everywhere = parsed["all-namespaces"]
    if what.names:
        if parsed["selector"] or parsed["field-selector"]:
            raise CommandError("name cannot be provided when a selector is specified")
        if everywhere:
            raise CommandError("a resource cannot be retrieved by name across all namespaces")
        return [_Piece(r, resources.namespace_of(ctx, r), name) for r, name in what.names]
    if not what.types:
        raise CommandError('the server doesn\'t have a resource type ""')
    return [_Piece(r, resources.namespace_of(ctx, r, all_namespaces=everywhere), "") for r in what.types]


async def _ask(ctx: Context, parsed: Parsed, pieces: list[_Piece]) -> list[Exception]:
    """Fill in the answers; pieces that failed are taken out, their failures given back."""
    results = await asyncio.gather(*(_answer(ctx, parsed, p) for p in pieces), return_exceptions=True)
    errors: list[Exception] = []
    for piece, result in zip(list(pieces), results, strict=True):
        if isinstance(result, Exception):
            pieces.remove(piece)
            missing = isinstance(result, ApiError) and result.reason == "NotFound" and piece.name
            ignored = missing and parsed["ignore-not-found"]
            if missing and not ignored and piece.namespace:
                result = await _namespace_missing(ctx, piece) or result
            errors += [] if ignored else [result]
        elif isinstance(result, BaseException):
            raise result
        else:
            piece.answer = result
    return errors


async def _namespace_missing(ctx: Context, piece: _Piece) -> ApiError | None:
    """The deeper reason why an object is not found, if that is it."""
    try:
        await ctx.client.get(await resources.find(ctx, "namespaces"), piece.namespace)
    except ApiError as error:
        return error if error.reason == "NotFound" else None
    return None


async def _answer(ctx: Context, parsed: Parsed, piece: _Piece) -> Obj:
    human = _human(parsed) and parsed["server-print"]
    if piece.name:
        if human:
            return await _table(ctx, parsed, piece)
        return await _one(ctx, parsed, piece)
    try:
        return await (_table if human else _list)(ctx, parsed, piece)
    except ApiError as error:
        fields = parsed["field-selector"] or ""
        raise resources.no_such_list(error, piece.resource, parsed["selector"] or "", fields) from error


async def _one(ctx: Context, parsed: Parsed, piece: _Piece) -> Obj:
    return await ctx.client.get(piece.resource, piece.name, piece.namespace, subresource=parsed["subresource"])


async def _table(ctx: Context, parsed: Parsed, piece: _Piece) -> Obj:
    query = _query(parsed)
    if parsed["sort-by"]:
        query["includeObject"] = "Object"
    if not piece.name and parsed["chunk-size"]:
        query["limit"] = parsed["chunk-size"]
    query["subresource"] = parsed["subresource"]
    table = await ctx.client.table(piece.resource, piece.namespace, piece.name, **query)
    rows = table.get("rows") or []
    while token := (table.get("metadata") or {}).get("continue"):
        more = await ctx.client.table(piece.resource, piece.namespace, **{**query, "continue": token})
        rows = [*rows, *(more.get("rows") or [])]
        table = {**table, "metadata": more.get("metadata"), "rows": rows}
    return table if table.get("kind") == "Table" else _plain_table(piece.resource, table)


def _plain_table(resource: Resource, answer: Obj) -> Obj:
    """NAME and AGE, for a server that prints no tables of this type."""
    from kubelearn.api.table import age

    columns = [{"name": "Name", "type": "string", "format": "name"}, {"name": "Age", "type": "string"}]
    items = answer.get("items") if isinstance(answer.get("items"), list) else [answer]
    rows = [
        {"cells": [o["metadata"].get("name", ""), age(o["metadata"].get("creationTimestamp"))], "object": o}
        for o in items or []
    ]
    return {"kind": "Table", "metadata": answer.get("metadata", {}), "columnDefinitions": columns, "rows": rows}


def _query(parsed: Parsed) -> dict[str, Any]:
    return {"label_selector": parsed["selector"] or "", "field_selector": parsed["field-selector"] or ""}


async def _list(ctx: Context, parsed: Parsed, piece: _Piece) -> Obj:
    answer: Obj = {}
    items: list[Obj] = []
    async for page in resources.pages(ctx, piece.resource, piece.namespace, parsed["chunk-size"], **_query(parsed)):
        items += page["items"]
        answer = page
    return {**answer, "items": items}


# ---- whole objects


def _print_objects(ctx: Context, parsed: Parsed, pieces: list[_Piece], errors: list[Exception]) -> int:
    show = _printer(ctx, parsed)
    if not pieces and parsed["ignore-not-found"] and not errors:
        return 0
    single = len(pieces) == 1 and pieces[0].name
    if single and not errors:
        found = {"apiVersion": pieces[0].resource.api_version, "kind": pieces[0].resource.kind, **pieces[0].answer}
    else:
        if not pieces:
            raise_all(errors)
        items = [item for p in pieces for item in (p.answer["items"] if not p.name else [_typed(p)])]
        if parsed["sort-by"]:
            items = order.objects(items, parsed["sort-by"])
        found = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}
    if not parsed["show-managed-fields"] and choose.format_of(parsed["output"])[0] in ("json", "yaml"):
        found = choose.without_managed_fields(found)
    show(found, ctx.out)
    if errors:
        raise Several(errors)
    return 0


def _typed(piece: _Piece) -> Obj:
    return {"apiVersion": piece.resource.api_version, "kind": piece.resource.kind, **piece.answer}


def _printer(ctx: Context, parsed: Parsed) -> choose.Print:
    return choose.printer(parsed["output"], parsed["template"], headers=not parsed["no-headers"], cwd=ctx.cwd)


# ---- tables


def _print_tables(ctx: Context, parsed: Parsed, pieces: list[_Piece], errors: list[Exception]) -> int:
    writer, wrote = TabWriter(remember=True), False
    last: Resource | None = None
    printer = TablePrinter()
    out: list[str] = []
    with_kind = parsed["show-kind"] or len({p.resource.group_resource for p in pieces}) > 1
    for piece in pieces:
        if piece.resource != last:
            text = writer.take()
            wrote = wrote or bool(text)
            out.append(text)
            writer.forget()
            gap = "\n" if last is not None and not parsed["no-headers"] and wrote else ""
            printer = _table_printer(parsed, piece.resource, with_kind)
            last = piece.resource
            out.append(gap)
        table = order.table(piece.answer, parsed["sort-by"]) if parsed["sort-by"] else piece.answer
        printer.print(table, writer)
    out.append(writer.take())
    text = _without_idle_gaps(out)
    ctx.out(text)
    if not text and not parsed["ignore-not-found"] and not errors:
        ctx.err(_nothing(ctx, parsed, pieces))
    if errors:
        raise Several(errors)
    return 0


def _without_idle_gaps(parts: list[str]) -> str:
    """A blank line between two tables, none before a table that turned out empty."""
    text, gap = "", ""
    for part in parts:
        if part == "\n":
            gap = part
        elif part:
            text += gap + part
            gap = ""
    return text


def _nothing(ctx: Context, parsed: Parsed, pieces: list[_Piece]) -> str:
    everywhere = parsed["all-namespaces"] or not all(p.resource.namespaced for p in pieces)
    return "No resources found\n" if everywhere else f"No resources found in {ctx.namespace} namespace.\n"


def _table_printer(parsed: Parsed, resource: Resource, with_kind: bool) -> TablePrinter:
    word = Target(resource, "", "").word
    return TablePrinter(
        wide=parsed["output"] == "wide",
        headers=not parsed["no-headers"],
        with_namespace=parsed["all-namespaces"] and resource.namespaced,
        prefix=word if with_kind else "",
        label_columns=parsed["label-columns"],
        show_labels=parsed["show-labels"],
    )


# ---- watching


async def _watch(ctx: Context, parsed: Parsed, pieces: list[_Piece]) -> int:
    if len(pieces) > 1:
        several = len({p.resource for p in pieces}) > 1
        raise CommandError("you may only specify a single resource type" if several else _ONE_WATCH)
    piece = pieces[0]
    raise_all(await _ask(ctx, parsed, pieces))
    show = _table_watcher(ctx, parsed, piece) if _human(parsed) else _object_watcher(ctx, parsed)
    shown = piece.answer
    if not parsed["watch-only"]:
        show(shown, "ADDED")
    version = shown.get("metadata", {}).get("resourceVersion", "")
    if piece.name and _human(parsed) and shown.get("rows"):
        version = shown["rows"][0]["object"]["metadata"].get("resourceVersion", version)
    async for kind, obj in _events(ctx, parsed, piece, version):
        show(obj, kind)
    return 0


async def _events(ctx: Context, parsed: Parsed, piece: _Piece, version: str) -> AsyncIterator[tuple[str, Obj]]:
    query = _query(parsed)
    if piece.name:
        query["field_selector"] = f"metadata.name={piece.name}"
    if parsed["sort-by"]:
        query["includeObject"] = "Object"
    watch = ctx.client.watch(piece.resource, piece.namespace, resource_version=version, table=_human(parsed), **query)
    async for event in watch:
        if event.type != "BOOKMARK":
            yield event.type, event.object


def _table_watcher(ctx: Context, parsed: Parsed, piece: _Piece) -> Callable[[Obj, str], None]:
    writer = TabWriter(remember=True)
    printer = _table_printer(parsed, piece.resource, parsed["show-kind"])

    def show(table: Obj, event: str) -> None:
        printer.print(table, writer, event if parsed["output-watch-events"] else "")
        ctx.out(writer.take())

    return show


def _object_watcher(ctx: Context, parsed: Parsed) -> Callable[[Obj, str], None]:
    printer = _printer(ctx, parsed)

    def show(obj: Obj, event: str) -> None:
        for item in choose.items_of(obj):
            one = item if parsed["show-managed-fields"] else choose.without_managed_fields(item)
            if parsed["output-watch-events"]:
                one = {"type": event, "object": one}
            printer(one, ctx.out)

    return show


VERB = Verb(
    name="get",
    summary="Display one or many resources",
    usage="get [(-o|--output=)json|yaml|name|jsonpath|custom-columns|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] "
    "| TYPE[.VERSION][.GROUP]/NAME ...) [flags]",
    examples="""
# The pods of the namespace
kubectl get pods

# With node and IP, in all namespaces
kubectl get pods -A -o wide

# Two types at once, by label
kubectl get deploy,svc -l app=web

# One field of one object
kubectl get pod web -o jsonpath='{.status.podIP}'

# Follow what happens
kubectl get pods -w
""",
    flags=(
        *options.PRINT,
        *options.FILES,
        options.SELECTOR,
        options.FIELD_SELECTOR,
        options.ALL_NAMESPACES,
        Flag("watch", "w", "bool", help="after listing, show each change"),
        Flag("watch-only", kind="bool", help="show changes only, without the list first"),
        Flag("output-watch-events", kind="bool", help="show the type of each watch event"),
        Flag("no-headers", kind="bool", help="no line of headers"),
        Flag("show-labels", kind="bool", help="all labels as the last column"),
        Flag("label-columns", "L", "strings", help="labels to show as columns, e.g. app,tier", complete="labels"),
        Flag("show-kind", kind="bool", help="the type before each name"),
        Flag("sort-by", help="sort by this path, e.g. .metadata.creationTimestamp"),
        Flag("ignore-not-found", kind="bool", help="an object that does not exist is no error"),
        Flag("chunk-size", kind="int", default=500, help="ask for lists in pieces of this size; 0: at once"),
        Flag("server-print", kind="bool", default=True, help="tables as the server makes them"),
        Flag("subresource", help="a subresource of the object: status, scale", complete="subresources"),
        Flag("raw", help="a path of the API to print as it answers"),
    ),
    run=run,
    complete="resource name",
)
