"""Streams between the terminal and a container: the channels of Kubernetes' WebSockets, logs, choice of pod.

Frames are a channel number (0 stdin, 1 stdout, 2 stderr, 3 the final Status, 4 the terminal's size) and data; version 5
adds 255, which closes a channel.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.client.transport import Response, WebSocket
from kubelearn.kit.tasks import Tasks
from kubelearn.kubectl import resources
from kubelearn.kubectl.failures import CommandError, Exit
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


async def chunks(response: Response) -> AsyncIterator[bytes]:
    """A response's body as it comes."""
    if response.stream is None:
        yield response.body
        return
    async for chunk in response.stream:
        yield chunk


async def talk(ctx: Context, path: str, query: list[tuple[str, str]], *, stdin: bool, tty: bool) -> int:
    """Connect the streams of this command with a container's; the exit status of the program there."""
    socket = await ctx.client.websocket(path, query, PROTOCOLS)
    try:
        async with Tasks("streams") as tasks:
            with terminal(ctx, tty) as size:
                if stdin:
                    tasks.start(_send_stdin(ctx, socket), "stdin")
                if tty and size is not None:
                    tasks.start(_send_sizes(socket, size), "size")
                return await _receive(ctx, socket)
    finally:
        await socket.close()


@contextlib.contextmanager
def terminal(ctx: Context, tty: bool) -> Any:
    """Raw mode while it lasts, where standard input is a terminal; gives a function that tells its size."""
    enter = getattr(ctx.stdin, "terminal", None)
    if not tty or enter is None:
        yield None
        return
    with enter() as size:
        yield size


async def _send_stdin(ctx: Context, socket: WebSocket) -> None:
    async for chunk in ctx.stdin.chunks():
        await socket.send(bytes([STDIN]) + chunk)
    if socket.subprotocol == PROTOCOLS[0]:
        await socket.send(bytes([CLOSE, STDIN]))


async def _send_sizes(socket: WebSocket, size: Callable[[], tuple[int, int]]) -> None:
    """Now, and whenever it changed (looked at once a second: signals belong to the main program)."""
    last: tuple[int, int] | None = None
    while True:
        now = size()
        if now != last:
            last = now
            await socket.send(bytes([RESIZE]) + json.dumps({"Width": now[0], "Height": now[1]}).encode())
        await asyncio.sleep(1)


async def _receive(ctx: Context, socket: WebSocket) -> int:
    while (frame := await socket.receive()) is not None:
        if not frame:
            continue
        channel, data = frame[0], frame[1:]
        if channel == STDOUT and data:
            ctx.raw(data)
        elif channel == STDERR and data:
            ctx.err(data.decode(errors="replace"))
        elif channel == STATUS:
            return exit_status(ctx, data)
    return 0


def exit_status(ctx: Context, data: bytes) -> int:
    """The exit code in the Status that ends a stream. Raises Exit and CommandError."""
    try:
        status = json.loads(data)
    except ValueError:
        raise CommandError(data.decode(errors="replace")) from None
    if status.get("status") == "Success":
        return 0
    for cause in (status.get("details") or {}).get("causes") or []:
        if status.get("reason") == "NonZeroExitCode" and cause.get("reason") == "ExitCode":
            ctx.err(f"command terminated with exit code {cause['message']}\n")
            raise Exit(int(cause["message"]))
    raise CommandError(str(status.get("message", "")))


async def pods_of(ctx: Context, target: Target) -> list[Obj]:
    """The pods behind `deploy/web`, `svc/web` or a pod itself, the readiest and youngest first."""
    if target.resource.kind == "Pod":
        return [(await resources.fetch(ctx, target)).object or {}]
    obj = (await resources.fetch(ctx, target)).object or {}
    selector = (obj.get("spec") or {}).get("selector")
    if not selector:
        raise CommandError(f"cannot attach to {target.resource.kind}.{target.resource.version}: no selector")
    is_service = target.resource.kind == "Service"
    text = ",".join(f"{k}={v}" for k, v in sorted(selector.items())) if is_service else selectors.format(selector)
    pods = await resources.find(ctx, "pods")
    found = (await ctx.client.list(pods, target.namespace, label_selector=text))["items"]
    return sorted(found, key=_fitness)


def _fitness(pod: Obj) -> tuple[Any, ...]:
    """kubectl's order for logs and exec: bound, running, ready; then the one that has been so longest."""
    status = pod.get("status") or {}
    phase = {"Running": 0, "Unknown": 1, "Pending": 2}.get(status.get("phase", ""), 3)
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or [])
    return (not pod["spec"].get("nodeName"), phase, not ready, pod["metadata"].get("creationTimestamp", ""))


async def one_pod(ctx: Context, argument: str, *, announce: bool = False) -> Obj:
    """The pod that `NAME` or `TYPE/NAME` means."""
    words = argument if "/" in argument else f"pod/{argument}"
    what = await resources.wanted(ctx, [words])
    resource, name = what.names[0]
    target = Target(resource, resources.namespace_of(ctx, resource), name)
    found = await pods_of(ctx, target)
    if not found:
        raise CommandError(f"no pods found for {target.title}")
    if announce and len(found) > 1:
        ctx.err(f"Found {len(found)} pods, using pod/{found[0]['metadata']['name']}\n")
    return found[0]


def container_of(ctx: Context, pod: Obj, wanted: str = "", *, quiet: bool = False) -> str:
    """The container that a command is about; says which one was chosen where there are several."""
    names = [c["name"] for c in pod["spec"].get("containers") or []]
    others = [f"{c['name']} (init)" for c in pod["spec"].get("initContainers") or []]
    others += [f"{c['name']} (ephem)" for c in pod["spec"].get("ephemeralContainers") or []]
    if wanted:
        if wanted not in names and wanted not in [o.rsplit(" ", 1)[0] for o in others]:
            where = f"pod {pod['metadata']['name']} out of: {', '.join(names + others)}"
            raise CommandError(f"container {wanted} is not valid for {where}")
        return wanted
    chosen = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER) or names[0]
    if len(names) + len(others) > 1 and not quiet:
        ctx.err(f'Defaulted container "{chosen}" out of: {", ".join(names + others)}\n')
    return str(chosen)


def pod_path(pod: Obj, subresource: str) -> str:
    meta = pod["metadata"]
    return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/{subresource}"
