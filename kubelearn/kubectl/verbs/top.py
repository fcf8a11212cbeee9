"""`top`: use of CPU and memory, from the metrics API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

from kubelearn.api import quantity
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.rest import decode, whole
from kubelearn.kubectl import options, resources
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers.tabwriter import TabWriter
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def _metrics(ctx: Context, path: str, parsed: Parsed) -> list[Obj]:
    known = any(r.group == "metrics.k8s.io" for r in (await resources.mapper(ctx)).all())
    if not known:
        raise CommandError("Metrics API not available")
    query = [("labelSelector", parsed["selector"])] if parsed["selector"] else []
    try:
        answer = decode(
            await whole(await ctx.client.request("GET", f"/apis/metrics.k8s.io/v1beta1/{path}", query=query))
        )
    except ApiError as error:
        raise CommandError("Metrics API not available") from error
    items: list[Obj] = (answer["items"] or []) if "items" in answer else [answer]
    return items


def _amounts(usages: list[Obj]) -> list[str]:
    """Of all of them together."""
    cpu = sum(quantity.milli(u.get("cpu", "0")) for u in usages)
    memory = sum(quantity.value(u.get("memory", "0")) for u in usages)
    return [f"{cpu}m", f"{memory // (1024 * 1024)}Mi"]


def _order(items: list[Obj], parsed: Parsed, usages: Callable[[Obj], list[Obj]]) -> list[Obj]:
    """By name, or by what `--sort-by` names, the greatest first."""
    by = parsed["sort-by"]
    named = sorted(items, key=lambda i: (i["metadata"].get("namespace", ""), i["metadata"]["name"]))
    return sorted(named, key=lambda i: -_total(usages(i), by)) if by else named


def _total(usages: list[Obj], resource: str) -> Decimal:
    return sum((quantity.parse(u.get(resource, "0")) for u in usages), Decimal(0))


def _check(parsed: Parsed) -> None:
    if parsed["sort-by"] not in ("", None, "cpu", "memory"):
        raise CommandError("--sort-by accepts only cpu or memory")


def _row(writer: TabWriter, cells: list[str]) -> None:
    """Each cell ends with a tab, the last one, too: kubectl pads it."""
    writer.write("".join(f"{cell}\t" for cell in cells) + "\n")


async def _nodes(ctx: Context, parsed: Parsed) -> int:
    _check(parsed)
    name = parsed.args[0] if parsed.args else ""
    found = await _metrics(ctx, f"nodes/{name}".rstrip("/"), parsed)
    if not found:
        raise CommandError("metrics not available yet")
    writer = TabWriter(remember=True)
    if not parsed["no-headers"]:
        _row(writer, ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"])
    nodes = {n["metadata"]["name"]: n for n in (await ctx.client.list(await resources.find(ctx, "nodes")))["items"]}
    for item in _order(found, parsed, lambda i: [i["usage"]]):
        usage = item["usage"]
        allocatable = nodes.get(item["metadata"]["name"], {}).get("status", {}).get("allocatable", {})
        cpu, memory = _amounts([usage])
        cells = [item["metadata"]["name"], cpu, _percent(usage, allocatable, "cpu"), memory]
        _row(writer, [*cells, _percent(usage, allocatable, "memory")])
    ctx.out(writer.take())
    return 0


def _percent(usage: Obj, total: Obj, resource: str) -> str:
    if resource not in total:
        return "<unknown>"
    return f"{int(quantity.parse(usage[resource]) * 100 / quantity.parse(total[resource]))}%"


def _pod_usages(item: Obj) -> list[Obj]:
    return [c["usage"] for c in item["containers"]]


async def _pods(ctx: Context, parsed: Parsed) -> int:
    _check(parsed)
    everywhere, apart = parsed["all-namespaces"], parsed["containers"]
    name = parsed.args[0] if parsed.args else ""
    path = "pods" if everywhere else f"namespaces/{ctx.namespace}/pods/{name}".rstrip("/")
    found = _order(await _metrics(ctx, path, parsed), parsed, _pod_usages)
    if not found:
        pods = await ctx.client.list(await resources.find(ctx, "pods"), "" if everywhere else ctx.namespace)
        if name or pods["items"]:  # nobody has been measured twice yet
            raise CommandError("metrics not available yet")
        ctx.err("No resources found\n" if everywhere else f"No resources found in {ctx.namespace} namespace.\n")
        return 0
    writer = TabWriter(remember=True)
    headers = [
        *(["NAMESPACE"] if everywhere else []),
        *(["POD"] if apart else []),
        "NAME",
        "CPU(cores)",
        "MEMORY(bytes)",
    ]
    if not parsed["no-headers"]:
        _row(writer, headers)
    for item in found:
        meta = item["metadata"]
        before = [meta["namespace"]] if everywhere else []
        if not apart:
            _row(writer, [*before, meta["name"], *_amounts(_pod_usages(item))])
            continue
        for container in _containers(item, parsed):
            _row(writer, [*before, meta["name"], container["name"], *_amounts([container["usage"]])])
    if parsed["sum"]:
        blank = [""] * (len(headers) - 2)
        _row(writer, [*blank, "________", "________"])
        _row(writer, [*blank, *_amounts([u for item in found for u in _pod_usages(item)])])
    ctx.out(writer.take())
    return 0


def _containers(item: Obj, parsed: Parsed) -> list[Obj]:
    named = sorted(item["containers"], key=lambda c: str(c["name"]))
    by = parsed["sort-by"]
    return sorted(named, key=lambda c: -_total([c["usage"]], by)) if by else named


def _child(name: str, what: str, alias: str, run: Callable[[Context, Parsed], Awaitable[int]]) -> Verb:
    flags: tuple[Flag, ...] = (
        options.SELECTOR,
        options.ALL_NAMESPACES,
        Flag("no-headers", kind="bool", help="no line of headers"),
        Flag("sort-by", help="cpu or memory, the greatest first; else by name"),
    )
    if name == "pod":
        flags += (
            Flag("containers", kind="bool", help="each container in a line of its own"),
            Flag("sum", kind="bool", help="the total in a last line"),
        )
    summary = f"Display resource (CPU/memory) usage of {what}"
    return Verb(
        name,
        summary,
        f"top {name} [NAME | -l label]",
        f"# All\nkubectl top {name}",
        flags,
        run,
        (),
        name,
        (alias, what),
    )


VERB = Verb(
    name="top",
    summary="Display resource (CPU/memory) usage",
    usage="top [flags]",
    children=(_child("node", "nodes", "no", _nodes), _child("pod", "pods", "po", _pods)),
)
