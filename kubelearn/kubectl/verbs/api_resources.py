"""`api-resources`: the types of object that the server serves."""

from __future__ import annotations

from kubelearn.api.resource import Resource
from kubelearn.kubectl import resources
from kubelearn.kubectl.failures import CommandError, UsageError
from kubelearn.kubectl.printers.tabwriter import TabWriter
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    if parsed.args:
        raise UsageError("api-resources", f"unexpected arguments: [{' '.join(parsed.args)}]")
    if parsed["output"] not in ("", "wide", "name"):
        raise CommandError(
            f'unable to match a printer suitable for the output format "{parsed["output"]}", allowed formats are: '
            "json,kyaml,name,wide,yaml"
        )
    if parsed["sort-by"] not in ("", "name", "kind"):
        raise CommandError("--sort-by accepts only name or kind")
    found = [r for r in _preferred((await resources.mapper(ctx)).all()) if _wanted(r, parsed)]
    by_kind = parsed["sort-by"] == "kind"
    if by_kind or parsed["sort-by"] == "name":
        found.sort(key=lambda r: r.kind if by_kind else r.plural)
    else:
        found.sort(key=lambda r: (r.group, r.plural))
    if parsed["output"] == "name":
        ctx.out("".join(f"{r.group_resource}\n" for r in found))
        return 0
    _print(ctx, parsed, found)
    return 0


def _preferred(found: tuple[Resource, ...]) -> list[Resource]:
    """Of a type that is served in several versions, the one that the server names first."""
    first: dict[str, Resource] = {}
    for resource in found:
        first.setdefault(resource.group_resource, resource)
    return list(first.values())


def _wanted(r: Resource, parsed: Parsed) -> bool:
    if "api-group" in parsed.given and r.group != parsed["api-group"]:
        return False
    if "namespaced" in parsed.given and r.namespaced != parsed["namespaced"]:
        return False
    if not set(parsed["verbs"]) <= set(r.verbs):
        return False
    return set(parsed["categories"]) <= set(r.categories) and bool(r.verbs)


def _print(ctx: Context, parsed: Parsed, found: list[Resource]) -> None:
    wide = parsed["output"] == "wide"
    writer = TabWriter(remember=True)
    if not parsed["no-headers"]:
        header = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"] + (["VERBS", "CATEGORIES"] if wide else [])
        writer.write("\t".join(header) + "\n")
    for r in found:
        cells = [r.plural, ",".join(r.short_names), r.api_version, str(r.namespaced).lower(), r.kind]
        if wide:
            cells += [",".join(r.verbs), ",".join(r.categories)]
        writer.write("\t".join(cells) + "\n")
    ctx.out(writer.take())


VERB = Verb(
    name="api-resources",
    summary="Print the supported API resources on the server",
    usage="api-resources [flags]",
    examples="# Those that live in a namespace\nkubectl api-resources --namespaced=true",
    flags=(
        Flag("api-group", help="only this group"),
        Flag("namespaced", kind="bool", default=True, help="only those in namespaces (false: only those that are not)"),
        Flag("verbs", kind="strings", help="only those that support these verbs"),
        Flag("categories", kind="strings", help="only those in these categories"),
        Flag("output", "o", help="wide or name", complete="outputs"),
        Flag("sort-by", help="name or kind"),
        Flag("no-headers", kind="bool", help="no line of headers"),
        Flag("cached", kind="bool", help="accepted: within a session, what was learnt is used again"),
        Flag("show-managed-fields", kind="bool", help="accepted: there are none"),
    ),
    run=run,
)
