"""`run`: one pod from an image; with -it a terminal in it, with --rm gone afterwards."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.patch import merge_patch
from kubelearn.api.resource import Obj
from kubelearn.kubectl import creating, manifests, options, resources, streams, waiting
from kubelearn.kubectl.failures import CommandError, Exit, UsageError
from kubelearn.kubectl.flags import require
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb
from kubelearn.kubectl.verbs.attach import attach

#: Registry, path, tag and digest, as the reference grammar of container images has them.
_REFERENCE = re.compile(
    r"([a-zA-Z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?"
)
_OVER = ("Succeeded", "Failed")


async def run(ctx: Context, parsed: Parsed) -> int:
    require(parsed, "image")
    _check_image(parsed["image"])
    attached = parsed["attach"] if "attach" in parsed.given else parsed["stdin"] or parsed["tty"]
    _check(parsed, attached)
    obj = _overridden(parsed, _pod(parsed))
    results = Results(ctx, parsed, options.dry_run(parsed))
    silent = _silent(parsed, attached)
    made = await _make(ctx, obj) if silent else await creating.make(ctx, parsed, obj, results=results)
    if parsed["expose"]:
        await creating.make(ctx, parsed, _service(parsed, made), results=results)
    if options.dry_run(parsed) != "none" or not attached:
        return 0
    pods = await resources.find(ctx, "pods")
    target = Target(pods, ctx.namespace, made["metadata"]["name"], made)
    try:
        return await _attached(ctx, parsed, target)
    finally:
        if parsed["rm"]:
            await _remove(ctx, parsed, target)


def _silent(parsed: Parsed, attached: bool) -> bool:
    """A pod that is attached to speaks for itself."""
    return attached and options.dry_run(parsed) == "none" and not parsed["output"]


async def _make(ctx: Context, obj: Obj) -> Obj:
    pods = await resources.find(ctx, "pods")
    return await ctx.client.create(pods, obj, ctx.namespace, fieldManager="kubectl-run")


def _check(parsed: Parsed, attached: bool) -> None:
    if len(parsed.args) < 1:
        raise UsageError("run", "NAME is required for run")
    if parsed["tty"] and not parsed["stdin"]:
        raise UsageError("run", "-i/--stdin is required for containers with -t/--tty=true")
    if parsed["expose"] and parsed["port"] == "":
        raise CommandError("--port must be set when exposing a service")
    if parsed["rm"] and not attached:
        raise CommandError("--rm should only be used for attached containers")
    if attached and options.dry_run(parsed) != "none":
        flags = "(--attach, --stdin, or --tty)"
        raise CommandError(f"--dry-run=[server|client] can't be used with attached containers options {flags}")
    if parsed["restart"] not in ("Always", "OnFailure", "Never"):
        raise CommandError(f"invalid restart policy: {parsed['restart']}, valid values are: Always, OnFailure, Never")


def _pod(parsed: Parsed) -> Obj:
    name, arguments = parsed.args[0], [*parsed.args[1:], *(parsed.after_dashes or [])]
    labels = _labels(parsed["labels"]) or {"run": name}
    container: dict[str, Any] = {"name": name, "image": parsed["image"]}
    if arguments:
        container["command" if parsed["command"] else "args"] = arguments
    if parsed["port"]:
        container["ports"] = [{"containerPort": _port(parsed["port"])}]
    if parsed["env"]:
        container["env"] = [{"name": k, "value": v} for k, v in _env(parsed["env"])]
    container["resources"] = {}
    if parsed["image-pull-policy"]:
        container["imagePullPolicy"] = parsed["image-pull-policy"]
    if parsed["privileged"]:
        container["securityContext"] = {"privileged": True}
    if parsed["stdin"]:
        container |= {"stdin": True, "stdinOnce": True}
    if parsed["tty"]:
        container["tty"] = True
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    if parsed["annotations"]:
        metadata["annotations"] = dict(creating.key_values(parsed["annotations"], "annotation"))
    spec: dict[str, Any] = {"containers": [container], "restartPolicy": parsed["restart"], "dnsPolicy": "ClusterFirst"}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {}}


def _labels(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise CommandError(f"unexpected label spec: {pair}")
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in pairs}


def _check_image(image: str) -> None:
    if not image:
        raise CommandError("--image is required")
    if not _REFERENCE.fullmatch(image):
        raise CommandError(f'invalid image name "{image}": invalid reference format')


def _env(pairs: list[str]) -> list[tuple[str, str]]:
    for pair in pairs:
        if "=" not in pair or pair.startswith("="):
            raise CommandError(f"invalid env: {pair}")
    return [(p.partition("=")[0], p.partition("=")[2]) for p in pairs]


def _port(text: str) -> int:
    if not text.isdecimal():
        raise CommandError("--port must be a number")
    return int(text)


def _overridden(parsed: Parsed, obj: Obj) -> Obj:
    if not parsed["overrides"]:
        return obj
    kind = parsed["override-type"]
    if kind not in ("json", "merge", "strategic"):
        raise CommandError(f"invalid overrideType: {kind}")
    try:
        change = manifests.from_yaml(parsed["overrides"])
    except CommandError as error:
        raise CommandError("Invalid JSON Patch") from error
    if kind == "json":
        from kubelearn.api import patch

        try:
            return patch.json_patch(obj, change)  # type: ignore[no-any-return]
        except patch.PatchError as error:
            raise CommandError(str(error)) from error
    if kind == "strategic":
        from kubelearn.api import patch, schema

        return patch.strategic_merge(obj, change, schema.for_kind("", "v1", "Pod"))
    merged: Obj = merge_patch(obj, change)
    return merged


def _service(parsed: Parsed, pod: Obj) -> Obj:
    port = _port(parsed["port"])
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": pod["metadata"]["name"]},
        "spec": {
            "ports": [{"protocol": "TCP", "port": port, "targetPort": port}],
            "selector": pod["metadata"]["labels"],
        },
        "status": {"loadBalancer": {}},
    }


async def _attached(ctx: Context, parsed: Parsed, target: Target) -> int:
    """Wait until it runs, attach; the exit status is the container's."""
    started = await waiting.until(ctx, target, lambda o: o is None or _phase(o) in ("Running", *_OVER))
    if started is None:
        raise CommandError(f'pods "{target.name}" not found')
    container = streams.container_of(ctx, started, quiet=True)
    quiet = parsed["quiet"]
    if _phase(started) == "Running":
        try:
            await attach(ctx, started, container, stdin=parsed["stdin"], tty=parsed["tty"], quiet=quiet)
        except ApiError as error:
            ctx.err(f"warning: couldn't attach to pod/{target.name}, falling back to streaming logs: {error.message}\n")
            await _logs(ctx, started, container)
    else:
        await _logs(ctx, started, container)
    if parsed["restart"] == "Always" and not parsed["rm"]:
        return 0
    ended = await waiting.until(ctx, target, lambda o: o is None or _phase(o) in _OVER or parsed["restart"] == "Always")
    return _exit_code(ctx, parsed, ended)


def _phase(pod: Obj) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


async def _logs(ctx: Context, pod: Obj, container: str) -> None:
    query = [("container", container), ("follow", "true")]
    response = await ctx.client.request("GET", streams.pod_path(pod, "log"), query=query, headers={"accept": "*/*"})
    async for chunk in streams.chunks(response):
        ctx.raw(chunk)


def _exit_code(ctx: Context, parsed: Parsed, pod: Obj | None) -> int:
    if pod is None or _phase(pod) != "Failed":
        return 0
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    for status in statuses:
        ended = (status.get("state") or {}).get("terminated")
        if ended and ended.get("exitCode"):
            name = pod["metadata"]["name"]
            ctx.err(f"pod {ctx.namespace}/{name} terminated ({ended.get('reason', 'Error')})\n")
            return int(ended["exitCode"])
    return 1


async def _remove(ctx: Context, parsed: Parsed, target: Target) -> None:
    with contextlib.suppress(ApiError, Exit):
        await ctx.client.delete(target.resource, target.name, target.namespace)
        if not parsed["quiet"]:
            ctx.out(f'pod "{target.name}" deleted from {target.namespace} namespace\n')


VERB = Verb(
    name="run",
    summary="Run a particular image on the cluster",
    usage='run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] '
    "[--overrides=inline-json] [--command] -- [COMMAND] [args...]",
    examples="""
# A pod
kubectl run web --image=kubelearn/web:v1 --port=8080

# A shell that is gone when you leave it
kubectl run tmp --rm -it --restart=Never --image=kubelearn/busybox:1 -- sh
""",
    flags=(
        *creating.flags("kubectl-run"),
        *options.FILES,
        Flag("image", help="the image"),
        Flag("annotations", kind="array", help="KEY=VALUE (repeatable)"),
        Flag("labels", "l", "strings", help="KEY=VALUE labels instead of run=NAME"),
        Flag("env", kind="array", help="KEY=VALUE for the container (repeatable)"),
        Flag("port", help="the port that the container listens on"),
        Flag("command", kind="bool", help="the words after -- are the command, not its arguments"),
        Flag("restart", default="Always", help="Always, OnFailure or Never", complete="restart-policies"),
        Flag("image-pull-policy", help="Always, IfNotPresent or Never"),
        Flag("overrides", help="JSON to change the generated pod with"),
        Flag("override-type", default="merge", help="json, merge or strategic"),
        Flag("expose", kind="bool", help="also a service for --port"),
        Flag("attach", kind="bool", help="attach to the container once it runs"),
        Flag("stdin", "i", "bool", help="keep standard input open"),
        Flag("tty", "t", "bool", help="a terminal"),
        Flag("rm", kind="bool", help="delete the pod afterwards (attached only)"),
        Flag("quiet", "q", "bool", help="only what the container prints"),
        Flag("leave-stdin-open", kind="bool", help="accepted: standard input is closed when it ends"),
        Flag("privileged", kind="bool", help="let the container do everything"),
        Flag("grace-period", kind="int", default=-1, help="seconds the pod has to end by itself with --rm"),
        Flag("force", kind="bool", help="accepted, only meaningful with --rm"),
        Flag("wait", kind="bool", help="accepted, only meaningful with --rm"),
        Flag("timeout", kind="duration", help="accepted, only meaningful with --rm"),
        Flag(
            "cascade", default="background", default_no_value="background", help="accepted, only meaningful with --rm"
        ),
        Flag("pod-running-timeout", kind="duration", default=60.0, help="how long to wait for the pod to run"),
    ),
    run=run,
)
