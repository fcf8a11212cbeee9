"""`wait`: until objects are as wanted, are gone, or are there."""

from __future__ import annotations

import asyncio

from kubelearn.api import jsonpath
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.kubectl import options, resources, waiting
from kubelearn.kubectl.failures import CommandError, Several, raise_all
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb
from kubelearn.kubectl.waiting import Wanted

_WEEK = 7 * 24 * 3600.0


async def run(ctx: Context, parsed: Parsed) -> int:
    conditions: list[str] = parsed["for"]
    wanted = condition(conditions[-1] if conditions else "", conditions)
    what = conditions[-1].lower()
    targets = await _targets(ctx, parsed, what)
    seconds = _WEEK if parsed["timeout"] < 0 else parsed["timeout"]
    until = asyncio.get_running_loop().time() + seconds
    errors: list[Exception] = []
    for target in targets:
        try:
            if what == "delete" and target.object is None and await _never_was(ctx, target):
                continue
            await _one(ctx, target, wanted, until, what)
        except resources.FAILURES as error:
            errors.append(error)
            continue
        ctx.out(f"{target.title} condition met\n")
    raise_all(errors)
    return 0


async def _targets(ctx: Context, parsed: Parsed, what: str) -> list[Target]:
    try:
        targets = await resources.named(ctx, parsed, parsed.args)
    except ApiError as error:
        raise Several([error]) from error
    if not targets and what != "delete":
        raise CommandError("no matching resources found")
    return targets


async def _never_was(ctx: Context, target: Target) -> bool:
    """Whether there is nothing to wait for, of which kubectl then says nothing."""
    try:
        await resources.fetch(ctx, target)
    except ApiError as error:
        if error.reason != "NotFound":
            raise
        return True
    return False


async def _one(ctx: Context, target: Target, wanted: Wanted, until: float, what: str) -> None:
    if what not in ("delete", "create"):
        await ctx.client.get(target.resource, target.name, target.namespace)  # NotFound is an answer of its own
    if what == "delete" and target.object is not None:
        uid = target.object["metadata"].get("uid", "")
        wanted = lambda obj: obj is None or obj["metadata"].get("uid") != uid  # noqa: E731
    try:
        async with asyncio.timeout_at(until):
            await waiting.until(ctx, target, wanted)
    except TimeoutError:
        where = "" if what == "create" else f" on {target.resource.plural}/{target.name}"
        raise CommandError(f"timed out waiting for the condition{where}") from None


def condition(text: str, given: list[str]) -> Wanted:
    """What `--for` asks for. Raises CommandError."""
    lowered = text.lower()
    if lowered == "delete":
        return lambda obj: obj is None
    if lowered == "create":
        return lambda obj: obj is not None
    if lowered.startswith("condition="):
        name, _, value = text[len("condition=") :].partition("=")
        return _condition(name, value or "True")
    if lowered.startswith("jsonpath="):
        return _jsonpath(text[len("jsonpath=") :].strip("'\""))
    shown = " ".join(f'"{word}"' for word in given)
    raise CommandError(f"unrecognized condition: {shown}" if given else "unrecognized condition: []")


def _condition(name: str, value: str) -> Wanted:
    def wanted(obj: Obj | None) -> bool:
        if obj is None:
            return False
        for found in (obj.get("status") or {}).get("conditions") or []:
            if str(found.get("type", "")).lower() == name.lower():
                observed = found.get("observedGeneration")
                if observed is not None and observed < obj["metadata"].get("generation", 0):
                    return False
                return str(found.get("status", "")).lower() == value.lower()
        return False

    return wanted


def _jsonpath(text: str) -> Wanted:
    path, equals, value = _split(text)
    try:
        template = jsonpath.relaxed(path)
        jsonpath.find(template, {})
    except jsonpath.JsonPathError as error:
        raise CommandError(str(error)) from error

    def wanted(obj: Obj | None) -> bool:
        if obj is None:
            return False
        found = jsonpath.find(template, obj)
        if not found:
            return False
        if len(found) > 1:
            raise CommandError("given jsonpath expression matches more than one value")
        if isinstance(found[0], dict | list):
            raise CommandError("jsonpath leads to a nested object or list which is not supported" if equals else "")
        return (
            not equals or str(found[0]).lower() == value.lower()
            if isinstance(found[0], bool)
            else (not equals or str(found[0]) == value)
        )

    return wanted


def _split(text: str) -> tuple[str, str, str]:
    """Path and value: the `=` after the closing brace, so that filters may hold one."""
    at = text.rfind("}")
    path, equals, value = text[at + 1 :].partition("=")
    value = value.strip("'\"")
    if at >= 0:
        path = text[: at + 1] + path
    if not path:
        raise CommandError(
            "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'"
        )
    if equals and not value:
        raise CommandError("jsonpath wait value cannot be empty")
    return path, equals, value


VERB = Verb(
    name="wait",
    summary="Wait for a specific condition on one or many resources",
    usage="wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) "
    "[--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
    examples="""
# Until it is ready
kubectl wait --for=condition=Ready pod/web-1

# Until it is gone
kubectl wait --for=delete pod/web-1 --timeout=60s

# Until a field has a value
kubectl wait --for=jsonpath='{.status.phase}'=Running pod/web-1
""",
    flags=(
        *options.PRINT,
        *options.FILES,
        options.SELECTOR,
        options.FIELD_SELECTOR,
        options.ALL,
        options.ALL_NAMESPACES,
        options.LOCAL,
        Flag("for", kind="array", help="delete, create, condition=NAME[=VALUE] or jsonpath='{PATH}'[=VALUE]"),
        Flag("timeout", kind="duration", default=30.0, help="wait this long at most; negative: a week"),
    ),
    run=run,
    complete="resource name",
)
