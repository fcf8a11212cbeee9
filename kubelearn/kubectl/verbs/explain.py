"""`explain`: the documentation of a type and its fields, from the server."""

from __future__ import annotations

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Resource
from kubelearn.client.discovery import NoMatch
from kubelearn.client.rest import decode, whole
from kubelearn.kubectl import resources
from kubelearn.kubectl.explaining import Explanation
from kubelearn.kubectl.failures import CommandError, PlainError
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_NOTHING = (
    'You must specify the type of resource to explain. Use "kubectl api-resources" for a complete list of supported '
    "resources."
)


async def run(ctx: Context, parsed: Parsed) -> int:
    if not parsed.args:
        raise CommandError(_NOTHING)
    if len(parsed.args) > 1:
        raise CommandError("We accept only this format: explain RESOURCE")
    if parsed["output"] not in ("plaintext", "plaintext-openapiv2"):
        raise CommandError(f"unrecognized format: {parsed['output']}")
    resource, path = await _resource(ctx, parsed.args[0].rstrip("."), parsed["api-version"])
    found = Explanation(await _document(ctx, resource), resource.group, resource.version, resource.kind)
    ctx.out(found.head())
    ctx.out(found.text(path, parsed["recursive"]))
    return 0


async def _resource(ctx: Context, text: str, api_version: str) -> tuple[Resource, list[str]]:
    """The type, and the path below it: `deployments.apps.spec` may name a group too."""
    words = text.split(".")
    for count in range(min(len(words), 6), 1, -1):
        try:
            found = (await resources.mapper(ctx)).find(".".join(words[:count]))
        except NoMatch:
            continue
        if found.group and ".".join(words[1:count]).endswith(found.group):
            return found, words[count:]
    try:
        found = await resources.find(ctx, words[0])
    except NoMatch as error:
        raise PlainError(error.message) from error
    if api_version and api_version != found.api_version:
        group, _, version = api_version.rpartition("/")
        same = [
            r for r in (await resources.mapper(ctx)).all() if r.plural == found.plural and r.api_version == api_version
        ]
        if not same:
            where = f"{group}/{version}" if group else f"/{version}"
            raise CommandError(f'couldn\'t find resource for "{where}, Resource={found.plural}"')
        found = same[0]
    return found, words[1:]


async def _document(ctx: Context, resource: Resource) -> dict[str, object]:
    index = decode(await whole(await ctx.client.request("GET", "/openapi/v3")))
    name = f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
    entry = (index.get("paths") or {}).get(name)
    if entry is None:
        raise CommandError(f'couldn\'t find resource for "{resource.api_version}, Resource={resource.plural}"')
    path, _, query = entry["serverRelativeURL"].partition("?")
    pairs = [(k, v) for k, _, v in (part.partition("=") for part in query.split("&") if part)]
    try:
        return decode(await whole(await ctx.client.request("GET", path, query=pairs)))
    except ApiError:
        return decode(await whole(await ctx.client.request("GET", path)))


VERB = Verb(
    name="explain",
    summary="Get documentation for a resource",
    usage="explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext]",
    examples="""
# What is in a pod
kubectl explain pods

# One field
kubectl explain pods.spec.containers.readinessProbe

# All fields by name
kubectl explain deployment --recursive
""",
    flags=(
        Flag("recursive", kind="bool", help="all fields below, names and types only"),
        Flag("api-version", help="of this group and version"),
        Flag("output", "o", default="plaintext", help="plaintext"),
    ),
    run=run,
    complete="field",
)
