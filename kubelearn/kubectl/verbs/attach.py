"""`attach`: connect with the program that a container already runs."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl import streams
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_NO_TTY = "error: Unable to use a TTY - container {0} did not allocate one\n"


async def run(ctx: Context, parsed: Parsed) -> int:
    if not parsed.args:
        raise CommandError("at least 1 argument is required for attach")
    pod = await streams.one_pod(ctx, parsed.args[0])
    container = streams.container_of(ctx, pod, parsed["container"], quiet=parsed["quiet"])
    return await attach(ctx, pod, container, stdin=parsed["stdin"], tty=parsed["tty"], quiet=parsed["quiet"])


async def attach(ctx: Context, pod: Obj, container: str, *, stdin: bool, tty: bool, quiet: bool = False) -> int:
    """The exit status of the stream (not of the program)."""
    spec: Obj = next((c for c in pod["spec"]["containers"] if c["name"] == container), {})
    if tty and not spec.get("tty"):
        ctx.err(_NO_TTY.format(container))
        tty = False
    tty = tty and ctx.stdin.is_tty
    if (stdin or tty) and not quiet:
        ctx.err("If you don't see a command prompt, try pressing enter.\n")
    query = [("container", container), ("stdout", "true")]
    query += [("tty", "true")] if spec.get("tty") else [("stderr", "true")]
    query += [("stdin", "true")] if stdin and spec.get("stdin") else []
    return await streams.talk(ctx, streams.pod_path(pod, "attach"), query, stdin=stdin, tty=tty)


VERB = Verb(
    name="attach",
    summary="Attach to a running container",
    usage="attach (POD | TYPE/NAME) -c CONTAINER",
    examples="# See what it prints from now on\nkubectl attach web-1",
    flags=(
        Flag("container", "c", help="the container", complete="containers"),
        Flag("stdin", "i", "bool", help="pass standard input on"),
        Flag("tty", "t", "bool", help="standard input is a terminal"),
        Flag("quiet", "q", "bool", help="only what the program prints"),
    ),
    run=run,
    complete="pod",
)
