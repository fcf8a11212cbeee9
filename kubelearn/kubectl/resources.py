"""Which objects a command is about: types and names from its arguments, or manifests.

kubectl's resource builder, with its messages. `Target` is an object that is named, fetched or read from a file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.discovery import Mapper, NoMatch, discover
from kubelearn.client.transport import TransportError
from kubelearn.kit.errors import KubelearnError
from kubelearn.kubectl import manifests
from kubelearn.kubectl.failures import CommandError, raise_all
from kubelearn.kubectl.verb import Context, Parsed

NO_RESOURCE = (
    "You must provide one or more resources by argument or filename.\n"
    "Example resource specifications include:\n"
    "   '-f rsrc.yaml'\n"
    "   '--filename=rsrc.json'\n"
    "   '<resource> <name>'\n"
    "   '<resource>'"
)
_SLASH_HELP = (
    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form "
    "(e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'"
)


@dataclass(slots=True)
class Target:
    """`object` is what the server has, or the manifest; None while only the name is known."""

    resource: Resource
    namespace: str
    name: str
    object: Obj | None = None
    source: str = ""

    @property
    def word(self) -> str:
        """`deployment.apps`: the kind as messages name it."""
        kind = self.resource.kind.lower()
        return f"{kind}.{self.resource.group}" if self.resource.group else kind

    @property
    def title(self) -> str:
        return f"{self.word}/{self.name}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Parsed arguments: names per type, or whole types when there are no names."""

    names: tuple[tuple[Resource, str], ...] = ()
    types: tuple[Resource, ...] = ()


async def mapper(ctx: Context, *, fresh: bool = False) -> Mapper:
    """The server's resources, asked once per command, or once per session."""
    found: Mapper | None = ctx.cache.get("mapper")
    if found is None or fresh:
        found = ctx.cache["mapper"] = await discover(ctx.client)
    return found


async def find(ctx: Context, word: str) -> Resource:
    """Raises NoMatch; asks the server again before it does, for a type that has just been added."""
    known = ctx.cache.get("mapper") is not None
    try:
        return (await mapper(ctx)).find(word)
    except NoMatch:
        if not known:
            raise
        return (await mapper(ctx, fresh=True)).find(word)


async def for_object(ctx: Context, obj: Obj, source: str = "") -> Resource:
    """The resource that serves a manifest; raises CommandError as kubectl does."""
    api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
    for fresh in (False, True):
        try:
            return (await mapper(ctx, fresh=fresh)).for_kind(api_version, kind)
        except NoMatch:
            continue
    meta = obj.get("metadata") or {}
    text = f'resource mapping not found for name: "{meta.get("name", "")}" namespace: "{meta.get("namespace", "")}"'
    text += (
        f' from "{source}": no matches for kind "{kind}" in version "{api_version}"\nensure CRDs are installed first'
    )
    raise CommandError(text)


async def types_of(ctx: Context, text: str) -> list[Resource]:
    """`po,svc` or a category such as `all`."""
    found: list[Resource] = []
    for word in text.split(","):
        if not word:
            continue
        category = (await mapper(ctx)).category(word)
        found += [r for r in category if "list" in r.verbs] if category else [await find(ctx, word)]
    return list(dict.fromkeys(found))


async def wanted(ctx: Context, args: Sequence[str]) -> Wanted:
    """Types and names from the arguments. Raises CommandError and NoMatch."""
    if not args:
        return Wanted()
    if any("/" in arg for arg in args):
        names: list[tuple[Resource, str]] = []
        for arg in args:
            names += await _slashed(ctx, arg, args)
        return Wanted(names=tuple(names))
    types = await types_of(ctx, args[0])
    if len(args) == 1:
        return Wanted(types=tuple(types))
    return Wanted(names=tuple((t, name) for t in types for name in args[1:]))


async def _slashed(ctx: Context, arg: str, args: Sequence[str]) -> list[tuple[Resource, str]]:
    parts = arg.split("/")
    if len(parts) == 1:
        raise CommandError(_SLASH_HELP)
    if len(parts) > 2:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    kind, name = parts
    if not kind or not name:
        raise CommandError("arguments in resource/name form must have a single resource and name")
    types = await types_of(ctx, kind)
    if len(types) != 1:
        raise CommandError("arguments in resource/name form must have a single resource and name")
    return [(types[0], name)]


def namespace_of(ctx: Context, resource: Resource, *, all_namespaces: bool = False) -> str:
    return ctx.namespace if resource.namespaced and not all_namespaces else ""


async def named(
    ctx: Context, parsed: Parsed, args: Sequence[str], *, needs_name: bool = True, types_mean_all: bool = False
) -> list[Target]:
    """Targets from arguments or -f, without fetching; selectors and --all are listed, with `types_mean_all` also types
    that stand alone."""
    if parsed.flags.get("filename") or parsed.flags.get("kustomize"):
        if args:
            raise CommandError(
                "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well"
            )
        return [await of_document(ctx, parsed, document) for document in await manifests.load(ctx, parsed)]
    if not args:
        raise CommandError(NO_RESOURCE)
    _check_selection(parsed, args)
    what = await wanted(ctx, args)
    if what.names:
        return [Target(r, namespace_of(ctx, r), name) for r, name in what.names]
    if not _selects(parsed) and not types_mean_all:
        if needs_name:
            raise CommandError("resource(s) were provided, but no name was specified")
        return []
    return [target for resource in what.types for target in await listed(ctx, parsed, resource)]


def _selects(parsed: Parsed) -> bool:
    return any(parsed.flags.get(name) for name in ("selector", "field-selector", "all"))


def _check_selection(parsed: Parsed, args: Sequence[str]) -> None:
    selector, everything = parsed.flags.get("selector"), parsed.flags.get("all")
    if everything and selector:
        raise CommandError("setting 'all' parameter but found a non empty selector. ")
    has_names = len(args) > 1 or "/" in args[0]
    if not has_names:
        return
    if selector or everything or parsed.flags.get("field-selector"):
        raise CommandError("name cannot be provided when a selector is specified")
    if parsed.flags.get("all-namespaces"):
        raise CommandError("a resource cannot be retrieved by name across all namespaces")


async def listed(ctx: Context, parsed: Parsed, resource: Resource) -> list[Target]:
    namespace = namespace_of(ctx, resource, all_namespaces=bool(parsed.flags.get("all-namespaces")))
    labels, fields = parsed.flags.get("selector") or "", parsed.flags.get("field-selector") or ""
    try:
        answer = await ctx.client.list(resource, namespace, label_selector=labels, field_selector=fields)
    except ApiError as error:
        raise no_such_list(error, resource, labels, fields) from error
    return [of_object(resource, item) for item in answer["items"]]


def of_object(resource: Resource, obj: Obj) -> Target:
    meta = obj["metadata"]
    return Target(resource, meta.get("namespace", ""), meta.get("name", ""), obj)


async def of_document(ctx: Context, parsed: Parsed, document: manifests.Document) -> Target:
    """A manifest as a target, with the namespace settled."""
    resource = await for_object(ctx, document.object, document.source)
    obj = document.object
    meta = obj.get("metadata")
    if not isinstance(meta, dict):
        meta = {}
        obj = {**obj, "metadata": meta}
    namespace = ""
    if resource.namespaced:
        own = meta.get("namespace") or ""
        if own and "namespace" in parsed.given and own != ctx.namespace:
            raise CommandError(
                f'the namespace from the provided object "{own}" does not match the namespace "{ctx.namespace}". '
                f"You must pass '--namespace={own}' to perform this operation."
            )
        namespace = own or ctx.namespace
        obj = {**obj, "metadata": {**meta, "namespace": namespace}}
    return Target(resource, namespace, str(meta.get("name") or ""), obj, document.source)


async def fetch(ctx: Context, target: Target) -> Target:
    """The target with what the server has of it now."""
    target.object = await ctx.client.get(target.resource, target.name, target.namespace)
    target.object = {"apiVersion": target.resource.api_version, "kind": target.resource.kind, **target.object}
    return target


async def objects(
    ctx: Context, parsed: Parsed, args: Sequence[str], *, needs_name: bool = True, ignore_not_found: bool = False
) -> list[Target]:
    """Like `named`, each fetched. What could be found is in the list even if something else was not: see `partly`."""
    found, errors = await partly(ctx, parsed, args, needs_name=needs_name)
    if ignore_not_found:
        errors = [e for e in errors if not (isinstance(e, ApiError) and e.reason == "NotFound")]
    raise_all(errors)
    return found


async def partly(
    ctx: Context, parsed: Parsed, args: Sequence[str], *, needs_name: bool = True, types_mean_all: bool = False
) -> tuple[list[Target], list[Exception]]:
    """Fetched targets, and the failures of those that could not be fetched."""
    targets = await named(ctx, parsed, args, needs_name=needs_name, types_mean_all=types_mean_all)
    answers = await asyncio.gather(*(_fetched(ctx, t) for t in targets), return_exceptions=True)
    found: list[Target] = []
    errors: list[Exception] = []
    for answer in answers:
        if isinstance(answer, Target):
            found.append(answer)
        elif isinstance(answer, Exception):
            errors.append(answer)
        else:
            raise answer
    return found, errors


async def _fetched(ctx: Context, target: Target) -> Target:
    if target.object is not None and not target.source:
        return target
    return await fetch(ctx, target)


#: What one object's request may end with; commands about many objects collect these.
FAILURES = (ApiError, TransportError, CommandError, KubelearnError)


def from_source(error: Exception, verb: str, source: str) -> Exception:
    """`error when creating "x.yaml": …`, as kubectl adds to what the server says."""
    if not source:
        return error
    prefix = f'error when {verb} "{source}": '
    if isinstance(error, ApiError):
        return ApiError(error.code, error.reason, prefix + error.message, error.details)
    return CommandError(prefix + getattr(error, "message", str(error)))


def no_such_list(error: ApiError, resource: Resource, labels: str, fields: str) -> ApiError:
    """What kubectl makes of a list that the server refuses."""
    if error.code not in (400, 404):
        return error
    what = f'"{resource.group}/{resource.version}, Resource={resource.plural}"'
    if labels or fields:
        text = f'Unable to find {what} that match label selector "{labels}", field selector "{fields}": {error.message}'
    else:
        text = f"Unable to list {what}: {error.message}"
    return ApiError(error.code, error.reason, text, error.details)


async def pages(ctx: Context, resource: Resource, namespace: str, size: int, **query: Any) -> AsyncIterator[Obj]:
    """Lists, page by page."""
    while True:
        answer = await ctx.client.list(resource, namespace, limit=size, **query)
        yield answer
        token = answer.get("metadata", {}).get("continue")
        if not token:
            return
        query["continue"] = token
