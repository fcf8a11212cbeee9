"""`exec`: run a program in a container."""

from __future__ import annotations

from kubelearn.kubectl import streams
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_NO_TTY = "Unable to use a TTY - input is not a terminal or the right kind of file\n"


async def run(ctx: Context, parsed: Parsed) -> int:
    if not parsed.args:
        raise CommandError("pod, type/name or --filename must be specified")
    if parsed.after_dashes is None and len(parsed.args) > 1:
        raise CommandError(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n"
            "See 'kubectl exec -h' for help and examples"
        )
    command = parsed.after_dashes
    if not command:
        raise CommandError("you must specify at least one command for the container")
    pod = await streams.one_pod(ctx, parsed.args[0])
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise CommandError(f"cannot exec into a container in a completed pod; current phase is {phase}")
    container = streams.container_of(ctx, pod, parsed["container"], quiet=parsed["quiet"])
    tty = parsed["tty"]
    if tty and not ctx.stdin.is_tty:
        ctx.err(_NO_TTY)
        tty = False
    query = [("container", container), *(("command", word) for word in command)]
    query += [("stdin", "true")] if parsed["stdin"] else []
    query += [("stdout", "true")] + ([("tty", "true")] if tty else [("stderr", "true")])
    return await streams.talk(ctx, streams.pod_path(pod, "exec"), query, stdin=parsed["stdin"], tty=tty)


VERB = Verb(
    name="exec",
    summary="Execute a command in a container",
    usage="exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
    examples="""
# One command
kubectl exec web-1 -- hostname

# A shell
kubectl exec -it web-1 -- sh
""",
    flags=(
        Flag("container", "c", help="the container", complete="containers"),
        Flag("stdin", "i", "bool", help="pass standard input on"),
        Flag("tty", "t", "bool", help="standard input is a terminal"),
        Flag("quiet", "q", "bool", help="only what the program prints"),
        Flag("pod-running-timeout", kind="duration", default=60.0, help="accepted: the pod must run already"),
    ),
    run=run,
    complete="pod",
)
