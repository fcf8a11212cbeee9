"""`describe`: one or more objects in detail, with what belongs to them and their events."""

from __future__ import annotations

from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.discovery import NoMatch
from kubelearn.kit import discover
from kubelearn.kubectl import options, resources
from kubelearn.kubectl.describers import _writer
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer
from kubelearn.kubectl.failures import CommandError, raise_all
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_PACKAGE = "kubelearn.kubectl.describers"
_NOTHING = (
    'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported '
    "resources."
)


async def run(ctx: Context, parsed: Parsed) -> int:
    if not parsed.args and not parsed["filename"]:
        raise CommandError(_NOTHING)
    targets, errors, exact = await _targets(ctx, parsed)
    single = exact and len(targets) == 1 and not errors
    events = parsed["show-events"] if "show-events" in parsed.given else single
    for index, target in enumerate(targets):
        ctx.out(("\n\n" if index else "") + await describe(ctx, target, events=events))
    if not targets and not errors:
        where = "" if parsed["all-namespaces"] else f" in {ctx.namespace} namespace"
        namespaced = any(r.namespaced for r in (await resources.wanted(ctx, parsed.args)).types)
        ctx.err(f"No resources found{where}.\n" if namespaced and where else "No resources found\n")
    raise_all(errors)
    return 0


async def _targets(ctx: Context, parsed: Parsed) -> tuple[list[Target], list[Exception], bool]:
    """What to describe, what could not be found, and whether it is what was asked for, not only begins so."""
    if not parsed["filename"]:
        what = await resources.wanted(ctx, parsed.args)
        if what.types:
            return [t for r in what.types for t in await resources.listed(ctx, parsed, r)], [], True
    found, errors = await resources.partly(ctx, parsed, parsed.args)
    if len(parsed.args) == 2 and not found and len(errors) == 1 and _missing(errors[0]):
        matching = await _by_prefix(ctx, parsed)
        if matching:
            return matching, [], False
    return found, errors, True


def _missing(error: Exception) -> bool:
    return isinstance(error, ApiError) and error.reason == "NotFound"


async def _by_prefix(ctx: Context, parsed: Parsed) -> list[Target]:
    """`describe pod web` also means web-7d4-x2x."""
    resource = await resources.find(ctx, parsed.args[0])
    everything = await resources.listed(ctx, parsed, resource)
    return [t for t in everything if t.name.startswith(parsed.args[1])]


async def describe(ctx: Context, target: Target, *, events: bool = True) -> str:
    """The description of a fetched object."""
    assert target.object is not None
    writer = Writer()
    describer = _describer(target)
    obj = {"apiVersion": target.resource.api_version, "kind": target.resource.kind, **target.object}
    await describer.write(writer, obj, _sources(ctx))
    if events and describer.events:
        _writer.events(writer, await _events(ctx, obj))
    return writer.text()


def _describer(target: Target) -> Describer:
    name = target.resource.kind.lower()
    known = name in discover.names(_PACKAGE)
    builtin = "." not in target.resource.group or target.resource.group.endswith(".k8s.io")
    return discover.load(_PACKAGE, name if known and builtin else "_generic", "DESCRIBER", Describer)


def _sources(ctx: Context) -> Sources:
    async def get(word: str, name: str, namespace: str) -> Obj | None:
        try:
            return await ctx.client.get(await resources.find(ctx, word), name, namespace)
        except (ApiError, NoMatch):
            return None

    async def list_(word: str, namespace: str, **query: Any) -> list[Obj]:
        try:
            found: list[Obj] = (await ctx.client.list(await resources.find(ctx, word), namespace, **query))["items"]
        except (ApiError, NoMatch):
            return []
        return found

    async def serves(word: str) -> bool:
        try:
            await resources.find(ctx, word)
        except NoMatch:
            return False
        return True

    return Sources(get, list_, serves)


async def _events(ctx: Context, obj: Obj) -> list[Obj]:
    meta = obj["metadata"]
    fields = {
        "involvedObject.name": meta["name"],
        "involvedObject.namespace": meta.get("namespace", ""),
        "involvedObject.kind": obj["kind"],
    }
    if obj["kind"] != "Node":  # a kubelet names its node as uid
        fields["involvedObject.uid"] = meta.get("uid", "")
    selector = ",".join(f"{k}={v}" for k, v in fields.items())
    namespace = meta.get("namespace", "") or "default"
    return await _sources(ctx).list("events", namespace if meta.get("namespace") else "", field_selector=selector)


VERB = Verb(
    name="describe",
    summary="Show details of a specific resource or group of resources",
    usage="describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
    examples="""
# One pod, with its events
kubectl describe pod web-1

# All pods whose names start so
kubectl describe pod web

# By label
kubectl describe pods -l app=web
""",
    flags=(
        *options.FILES,
        options.SELECTOR,
        options.ALL_NAMESPACES,
        Flag("show-events", kind="bool", default=True, help="the events too; if not given: for a single object"),
        Flag("chunk-size", kind="int", default=500, help="ask for lists in pieces of this size"),
    ),
    run=run,
    complete="resource name",
)
