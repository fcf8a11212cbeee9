"""`logs`: what containers wrote, once or as they write it."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.kubectl import options, resources, streams
from kubelearn.kubectl.failures import CommandError, UsageError
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_EXPECTED = (
    "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\n"
    "POD or TYPE/NAME is a required argument for the logs command"
)


async def run(ctx: Context, parsed: Parsed) -> int:
    _check(parsed)
    try:
        sources = await _sources(ctx, parsed)
    except ApiError as error:
        if error.reason != "NotFound":
            raise
        where = f'in namespace "{ctx.namespace}"'
        raise CommandError(f"error from server (NotFound): {error.message} {where}") from error
    if parsed["since"] and parsed["since-time"]:
        raise CommandError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    limit = parsed["max-log-requests"]
    if parsed["follow"] and len(sources) > limit:
        raise CommandError(
            f"you are attempting to follow {len(sources)} log streams, but maximum allowed concurrency is {limit}, use "
            "--max-log-requests to increase the limit"
        )
    if not sources:
        where = f" in {ctx.namespace} namespace"
        ctx.err(f"No resources found{where}.\n")
        return 0
    query = _query(parsed)
    prefix = parsed["prefix"]
    if parsed["follow"] and len(sources) > 1:
        async with asyncio.TaskGroup() as group:
            for pod, container in sources:
                group.create_task(_copy(ctx, pod, container, query, prefix))
        return 0
    for pod, container in sources:
        await _copy(ctx, pod, container, query, prefix)
    return 0


def _check(parsed: Parsed) -> None:
    if not parsed.args and not parsed["selector"]:
        raise UsageError("logs", _EXPECTED)
    if parsed.args and parsed["selector"]:
        raise UsageError("logs", "only a selector (-l) or a POD name is allowed")
    if len(parsed.args) > 2:
        raise UsageError("logs", _EXPECTED)
    if parsed["all-containers"] and parsed["container"]:
        text = f"--all-containers=true should not be specified with container name {parsed['container']}"
        raise CommandError(text)
    if parsed["tail"] < -1:
        raise CommandError("--tail must be greater than or equal to -1")
    if len(parsed.args) == 2 and parsed["container"]:
        raise UsageError("logs", "only one of -c or an inline [CONTAINER] arg is allowed")


async def _sources(ctx: Context, parsed: Parsed) -> list[tuple[Obj, str]]:
    """Pods and containers to read."""
    if parsed["selector"]:
        pods = await resources.listed(ctx, parsed, await resources.find(ctx, "pods"))
        found = [p.object for p in pods if p.object is not None]
    elif parsed["all-pods"]:
        what = await resources.wanted(ctx, parsed.args[:1])
        resource, name = what.names[0]
        target = resources.Target(resource, resources.namespace_of(ctx, resource), name)
        found = await streams.pods_of(ctx, target)
    else:
        found = [await streams.one_pod(ctx, parsed.args[0], announce=True)]
    wanted = parsed["container"] or (parsed.args[1] if len(parsed.args) > 1 else "")
    sources: list[tuple[Obj, str]] = []
    for pod in found:
        if parsed["all-containers"]:
            spec = pod["spec"]
            names = [c["name"] for kind in ("initContainers", "containers") for c in spec.get(kind) or []]
            sources += [(pod, name) for name in names]
        else:
            sources.append((pod, streams.container_of(ctx, pod, wanted)))
    return sources


def _query(parsed: Parsed) -> list[tuple[str, str]]:
    tail = parsed["tail"]
    if parsed["selector"] and "tail" not in parsed.given:
        tail = 10
    values: dict[str, Any] = {
        "follow": "true" if parsed["follow"] else "",
        "previous": "true" if parsed["previous"] else "",
        "timestamps": "true" if parsed["timestamps"] else "",
        "sinceSeconds": math.ceil(parsed["since"]) if parsed["since"] else "",
        "sinceTime": parsed["since-time"],
        "tailLines": tail if tail >= 0 else "",
        "limitBytes": parsed["limit-bytes"] or "",
    }
    return [(name, str(value)) for name, value in values.items() if value != ""]


async def _copy(ctx: Context, pod: Obj, container: str, query: list[tuple[str, str]], prefix: bool) -> None:
    path = streams.pod_path(pod, "log")
    response = await ctx.client.request(
        "GET", path, query=[("container", container), *query], headers={"accept": "*/*"}
    )
    if not prefix:
        async for chunk in streams.chunks(response):
            ctx.raw(chunk)
        return
    mark = f"[pod/{pod['metadata']['name']}/{container}] ".encode()
    rest = b""
    async for chunk in streams.chunks(response):
        *lines, rest = (rest + chunk).split(b"\n")
        ctx.raw(b"".join(mark + line + b"\n" for line in lines))
    if rest:
        ctx.raw(mark + rest)


VERB = Verb(
    name="logs",
    summary="Print the logs for a container in a pod",
    usage="logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
    examples="""
# What it wrote
kubectl logs web-1

# As it writes, from the last ten lines on
kubectl logs -f --tail=10 deploy/web

# What it wrote before it was restarted
kubectl logs web-1 --previous

# All pods of an app
kubectl logs -l app=web --prefix
""",
    flags=(
        options.SELECTOR,
        Flag("follow", "f", "bool", help="go on as it writes"),
        Flag("container", "c", help="the container", complete="containers"),
        Flag("previous", "p", "bool", help="of the container before its last restart"),
        Flag("tail", kind="int", default=-1, help="only the last lines; -1: all"),
        Flag("since", kind="duration", help="only what is younger, e.g. 5m"),
        Flag("since-time", help="only what was written after this time"),
        Flag("timestamps", kind="bool", help="the time before each line"),
        Flag("limit-bytes", kind="int", help="at most this much"),
        Flag("all-containers", kind="bool", help="all containers of the pod"),
        Flag("all-pods", kind="bool", help="all pods of the workload"),
        Flag("prefix", kind="bool", help="pod and container before each line"),
        Flag("ignore-errors", kind="bool", help="accepted: an error of one stream ends the command"),
        Flag("max-log-requests", kind="int", default=5, help="how many streams to follow at once"),
        Flag(
            "pod-running-timeout", kind="duration", default=20.0, help="accepted: the server's answer is not waited for"
        ),
    ),
    run=run,
    complete="pod",
)
