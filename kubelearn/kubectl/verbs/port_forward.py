"""`port-forward`: local ports that lead to a pod's."""

from __future__ import annotations

import asyncio
import contextlib

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.transport import TransportError, WebSocket
from kubelearn.kit.tasks import Tasks
from kubelearn.kubectl import resources, streams
from kubelearn.kubectl.failures import CommandError, UsageError
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_PROTOCOL = ("v4.channel.k8s.io",)
_CHUNK = 32768
Pair = tuple[int, int]


async def run(ctx: Context, parsed: Parsed) -> int:
    if len(parsed.args) < 2:
        raise UsageError("port-forward", "TYPE/NAME and list of ports are required for port-forward")
    pod, service = await _pod(ctx, parsed.args[0])
    if (pod.get("status") or {}).get("phase") != "Running":
        phase = (pod.get("status") or {}).get("phase")
        raise CommandError(f"unable to forward port because pod is not running. Current status={phase}")
    pairs = [_pair(text, pod, service) for text in parsed.args[1:]]
    async with Tasks("port-forward") as tasks, contextlib.AsyncExitStack() as stack:
        for local, remote in pairs:
            for address in parsed["address"]:
                await _listen(ctx, tasks, stack, pod, address, local, remote)
        await asyncio.Event().wait()
    return 0


async def _pod(ctx: Context, argument: str) -> tuple[Obj, Obj | None]:
    """The pod to forward to, and the service it was named by, if by one."""
    words = argument if "/" in argument else f"pod/{argument}"
    resource, name = (await resources.wanted(ctx, [words])).names[0]
    target = Target(resource, ctx.namespace, name)
    found = await streams.pods_of(ctx, target)
    if not found:
        raise CommandError(f"no pods found for {target.title}")
    return found[0], target.object if resource.kind == "Service" else None


def _pair(text: str, pod: Obj, service: Obj | None) -> Pair:
    """Local and remote port of `8080:80`, `8080`, `:80` or `8080:http`."""
    local, colon, remote = text.partition(":")
    remote = remote if colon else local
    number = _remote(remote, pod, service)
    if colon and not local:
        return 0, number
    if not local.isdecimal():
        return (number, number) if not colon else _bad(local)
    if not 0 <= int(local) < 65536:
        return _bad(local)
    return int(local), number


def _bad(text: str) -> Pair:
    raise CommandError(f"error parsing local port '{text}': strconv.ParseUint: parsing \"{text}\": invalid syntax")


def _remote(text: str, pod: Obj, service: Obj | None) -> int:
    if service is not None:
        for port in service["spec"].get("ports") or []:
            if text in (str(port["port"]), port.get("name")):
                return _container_port(str(port.get("targetPort", port["port"])), pod)
        raise CommandError(f"Service {service['metadata']['name']} does not have a service port {text}")
    return _container_port(text, pod)


def _container_port(text: str, pod: Obj) -> int:
    if text.isdecimal():
        return int(text)
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or []:
            if port.get("name") == text:
                return int(port["containerPort"])
    raise CommandError(f"Pod '{pod['metadata']['name']}' does not have a named port '{text}'")


async def _listen(
    ctx: Context,
    tasks: Tasks,
    stack: contextlib.AsyncExitStack,
    pod: Obj,
    address: str,
    local: int,
    remote: int,
) -> None:
    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ctx.out(f"Handling connection for {port}\n")
        try:
            await _forward(ctx, tasks, pod, remote, reader, writer)
        except (ApiError, TransportError) as error:
            ctx.err(f"error forwarding port {remote} to pod {pod['metadata']['name']}: {error}\n")
        finally:
            writer.close()

    host = "127.0.0.1" if address == "localhost" else address
    try:
        server = await asyncio.start_server(accepted, host, local)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise CommandError(
            f"unable to listen on port {local}: Listeners failed to create with: {host}:{local}: {why}"
        ) from error
    await stack.enter_async_context(server)
    port = server.sockets[0].getsockname()[1]
    ctx.out(f"Forwarding from {host}:{port} -> {remote}\n")


async def _forward(
    ctx: Context, tasks: Tasks, pod: Obj, remote: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection over one WebSocket; each channel begins with the port's number."""
    path = streams.pod_path(pod, "portforward")
    socket = await ctx.client.websocket(path, [("ports", str(remote))], _PROTOCOL)
    sending = tasks.start(_send(socket, reader), "send")
    begun: set[int] = set()
    try:
        while (frame := await socket.receive()) is not None:
            if not frame:
                continue
            channel, data = frame[0], frame[1:]
            if channel not in begun:
                begun.add(channel)
                data = data[2:]
            if channel == 0 and data:
                writer.write(data)
                await writer.drain()
            elif channel == 1 and data:
                ctx.err(data.decode(errors="replace").rstrip("\n") + "\n")
    except ConnectionError:
        pass  # the local side has gone; so will the remote one
    finally:
        sending.cancel()
        await socket.close()


async def _send(socket: WebSocket, reader: asyncio.StreamReader) -> None:
    while chunk := await reader.read(_CHUNK):
        await socket.send(b"\x00" + chunk)


VERB = Verb(
    name="port-forward",
    summary="Forward one or more local ports to a pod",
    usage="port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
    examples="""
# http://localhost:8080 is then the pod's port 80
kubectl port-forward pod/web-1 8080:80

# A pod behind a service, at a port of the machine's choice
kubectl port-forward svc/web :80
""",
    flags=(
        Flag("address", kind="strings", default=["localhost"], help="addresses of this machine to listen on"),
        Flag("pod-running-timeout", kind="duration", default=60.0, help="accepted: the pod must run already"),
    ),
    run=run,
    complete="pod",
)
