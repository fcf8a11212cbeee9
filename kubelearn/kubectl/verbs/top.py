"""`top`: use of CPU and memory. Needs the metrics API, which kubelearn's cluster does not serve yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

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
    items: list[Obj] = answer.get("items") or [answer]
    return items


def _amounts(usage: Obj) -> list[str]:
    cpu = quantity.milli(usage.get("cpu", "0"))
    memory = quantity.value(usage.get("memory", "0")) // (1024 * 1024)
    return [f"{cpu}m", f"{memory}Mi"]


async def _nodes(ctx: Context, parsed: Parsed) -> int:
    name = parsed.args[0] if parsed.args else ""
    found = await _metrics(ctx, f"nodes/{name}".rstrip("/"), parsed)
    writer = TabWriter(remember=True)
    if not parsed["no-headers"]:
        writer.write("NAME\tCPU(cores)\tCPU(%)\tMEMORY(bytes)\tMEMORY(%)\n")
    nodes = {n["metadata"]["name"]: n for n in (await ctx.client.list(await resources.find(ctx, "nodes")))["items"]}
    for item in sorted(found, key=lambda i: i["metadata"]["name"]):
        usage = item["usage"]
        allocatable = nodes.get(item["metadata"]["name"], {}).get("status", {}).get("allocatable", {})
        cpu, memory = _amounts(usage)
        cells = [item["metadata"]["name"], cpu, _percent(usage, allocatable, "cpu"), memory]
        writer.write("\t".join([*cells, _percent(usage, allocatable, "memory")]) + "\n")
    ctx.out(writer.take())
    return 0


def _percent(usage: Obj, total: Obj, resource: str) -> str:
    if resource not in total:
        return "<unknown>"
    return f"{int(quantity.parse(usage[resource]) * 100 / quantity.parse(total[resource]))}%"


async def _pods(ctx: Context, parsed: Parsed) -> int:
    everywhere = parsed["all-namespaces"]
    name = parsed.args[0] if parsed.args else ""
    path = "pods" if everywhere else f"namespaces/{ctx.namespace}/pods/{name}".rstrip("/")
    found = await _metrics(ctx, path, parsed)
    writer = TabWriter(remember=True)
    if not parsed["no-headers"]:
        writer.write(("NAMESPACE\t" if everywhere else "") + "NAME\tCPU(cores)\tMEMORY(bytes)\n")
    for item in sorted(found, key=lambda i: (i["metadata"].get("namespace", ""), i["metadata"]["name"])):
        meta = item["metadata"]
        cpu = sum(quantity.milli(c["usage"].get("cpu", "0")) for c in item["containers"])
        memory = sum(quantity.value(c["usage"].get("memory", "0")) for c in item["containers"])
        cells = [meta["name"], f"{cpu}m", f"{memory // (1024 * 1024)}Mi"]
        writer.write("\t".join([meta["namespace"], *cells] if everywhere else cells) + "\n")
    ctx.out(writer.take())
    return 0


def _child(name: str, what: str, alias: str, run: Callable[[Context, Parsed], Awaitable[int]]) -> Verb:
    flags = (
        options.SELECTOR,
        options.ALL_NAMESPACES,
        Flag("no-headers", kind="bool", help="no line of headers"),
        Flag("sort-by", help="accepted: rows are sorted by name"),
        Flag("containers", kind="bool", help="accepted: pods are shown as a whole"),
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
