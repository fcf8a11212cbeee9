"""`set`: image, environment, resources, service account and selector of objects that exist."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from kubelearn.api import quantity
from kubelearn.api.resource import Obj
from kubelearn.client.rest import MERGE_PATCH
from kubelearn.kubectl import creating, options, resources, workloads
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers.encode import to_json
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_NO_RESOURCE = resources.NO_RESOURCE
_CONTAINERS = Flag("containers", "c", default="*", help="only containers whose names match")


def _split(parsed: Parsed) -> tuple[list[str], list[str]]:
    """Resources, and KEY=VALUE or KEY- arguments."""
    about = [a for a in parsed.args if "=" not in a and not a.endswith("-")]
    return about, [a for a in parsed.args if a not in about]


def _needs_resource(parsed: Parsed, about: list[str]) -> None:
    if not about and not parsed["filename"]:
        raise CommandError(_NO_RESOURCE)


async def _image(ctx: Context, parsed: Parsed) -> int:
    about, pairs = _split(parsed)
    images = dict(creating.key_values(pairs, "image"))
    _needs_resource(parsed, about)
    targets = await workloads.targets(ctx, parsed, about)
    if not images:
        raise CommandError("at least one image update is required")
    if len(images) > 1 and "*" in images:
        raise CommandError(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs"
        )

    def work(obj: Obj) -> None:
        spec = workloads.pod_spec(obj)
        for name, image in images.items():
            found = workloads.containers(spec, name)
            if not found and name != "*":
                raise CommandError(f'unable to find container named "{name}"')
            for container in found:
                container["image"] = image

    return await workloads.change(ctx, parsed, targets, work, "image updated", "image update to pod template:")


async def _env(ctx: Context, parsed: Parsed) -> int:
    about, pairs = _split(parsed)
    pairs += parsed["env"]
    if parsed["from"]:
        raise CommandError("--from is not supported: name the variables, or use envFrom in the manifest")
    if not about and not parsed["filename"]:
        raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    targets = await workloads.targets(ctx, parsed, about)
    if parsed["list"]:
        return _list_env(ctx, parsed, targets)
    if not pairs:
        raise CommandError("at least one environment variable must be provided")
    values = dict(creating.key_values([p for p in pairs if "=" in p], "environment variable"))
    removed = [p[:-1] for p in pairs if "=" not in p]

    def work(obj: Obj) -> None:
        spec = workloads.pod_spec(obj)
        found = workloads.containers(spec, parsed["containers"])
        if not found:
            what = f"{obj['kind']}/{obj['metadata']['name']}"
            ctx.err(f'Warning: {what} does not have any containers matching "{parsed["containers"]}"\n')
        for container in found:
            env = [e for e in container.get("env") or [] if e["name"] not in removed]
            for name, value in values.items():
                entry = next((e for e in env if e["name"] == name), None)
                if entry is None:
                    env.append({"name": name, **({"value": value} if value else {})})
                elif parsed["overwrite"] or "value" not in entry:
                    entry.pop("valueFrom", None)
                    entry["value"] = value
            container["env"] = env
            if not env:
                del container["env"]

    return await workloads.change(ctx, parsed, targets, work, "env updated", "env update to pod template:")


def _list_env(ctx: Context, parsed: Parsed, targets: list[Target]) -> int:
    for target in targets:
        obj = {"kind": target.resource.kind, **(target.object or {})}
        for container in workloads.containers(workloads.pod_spec(obj), parsed["containers"]):
            ctx.out(f"# {target.resource.kind} {target.name}, container {container['name']}\n")
            for entry in container.get("env") or []:
                if "valueFrom" not in entry:
                    ctx.out(f"{entry['name']}={entry.get('value', '')}\n")
                else:
                    ctx.out(f"# {entry['name']} from {_source(entry['valueFrom'])}\n")
    return 0


def _source(found: Obj) -> str:
    for key, word in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
        if ref := found.get(key):
            return f"{word} {ref.get('name', '')}, key {ref.get('key', '')}"
    if ref := found.get("fieldRef"):
        return f"field path {ref.get('fieldPath', '')}"
    return f"resource field {(found.get('resourceFieldRef') or {}).get('resource', '')}"


async def _resources(ctx: Context, parsed: Parsed) -> int:
    _needs_resource(parsed, parsed.args)
    targets = await workloads.targets(ctx, parsed, parsed.args)
    if not parsed["limits"] and not parsed["requests"]:
        raise CommandError("you must specify an update to requests or limits (in the form of --requests/--limits)")
    wanted = {part: _quantities(parsed[part]) for part in ("limits", "requests") if parsed[part]}

    def work(obj: Obj) -> None:
        found = workloads.containers(workloads.pod_spec(obj), parsed["containers"])
        if not found:
            raise CommandError(f"unable to find container named {parsed['containers']}")
        for container in found:
            now: dict[str, Any] = container.setdefault("resources", {})
            for part, amounts in wanted.items():
                now[part] = {**(now.get(part) or {}), **amounts}

    done, failed = "resource requirements updated", "resources update to pod template"
    return await workloads.change(ctx, parsed, targets, work, done, failed)


def _quantities(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in text.split(","):
        name, equals, amount = pair.partition("=")
        if not equals:
            raise CommandError(f"invalid argument syntax {pair}, expected <resource>=<value>")
        try:
            found[name] = quantity.canonical(amount)
        except ValueError as error:
            raise CommandError(str(error)) from error
    return found


async def _serviceaccount(ctx: Context, parsed: Parsed) -> int:
    if not parsed.args:
        raise CommandError("serviceaccount is required")
    *about, account = parsed.args
    _needs_resource(parsed, about)
    targets = await workloads.targets(ctx, parsed, about)

    def work(obj: Obj) -> None:
        workloads.pod_spec(obj)["serviceAccountName"] = account

    return await workloads.change(ctx, parsed, targets, work, "serviceaccount updated", "ServiceAccountName")


async def _selector(ctx: Context, parsed: Parsed) -> int:
    if len(parsed.args) < 2 and not parsed["filename"]:
        raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    *about, text = parsed.args
    pairs = [p for p in re.split(",", text) if p]
    selector = dict(creating.key_values(pairs, "selector"))
    dry = options.dry_run(parsed)
    for target in await resources.objects(ctx, parsed, about):
        if target.resource.kind != "Service":
            raise CommandError("setting a selector is only supported for Services")
        before = (target.object or {}).get("spec", {}).get("selector") or {}
        change = {"spec": {"selector": dict.fromkeys(set(before) - set(selector)) | selector}}
        body = to_json(change, None).encode()
        query = options.write_query(parsed, dry)
        obj = target.object or {}
        if dry != "client":
            obj = await ctx.client.patch(target.resource, target.name, target.namespace, body, MERGE_PATCH, **query)
        Results(ctx, parsed, dry).show({"apiVersion": "v1", "kind": "Service", **obj}, "selector updated")
    return 0


def _child(
    name: str,
    summary: str,
    usage: str,
    example: str,
    run: Callable[[Context, Parsed], Awaitable[int]],
    flags: tuple[Flag, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Verb:
    own = (*workloads.FLAGS, *flags)
    return Verb(name, summary, usage, example, own, run, (), "workload name", aliases)


VERB = Verb(
    name="set",
    summary="Set specific features on objects",
    usage="set SUBCOMMAND",
    examples="# A new version\nkubectl set image deployment/web web=kubelearn/web:v2",
    children=(
        _child(
            "env",
            "Update environment variables on a pod template",
            "set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N",
            "# Set one, remove another\nkubectl set env deployment/web COLOR=red OLD-",
            _env,
            (
                _CONTAINERS,
                Flag("env", "e", "array", help="KEY=VALUE (repeatable)"),
                Flag("list", kind="bool", help="show them"),
                Flag("from", help="not supported"),
                Flag("overwrite", kind="bool", default=True, help="replace values that are there"),
            ),
        ),
        _child(
            "image",
            "Update the image of a pod template",
            "set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N",
            "# A new version\nkubectl set image deployment/web web=kubelearn/web:v2",
            _image,
        ),
        _child(
            "resources",
            "Update resource requests/limits on objects with pod templates",
            "set resources (-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS]",
            "# More memory\nkubectl set resources deployment/web --limits=memory=256Mi",
            _resources,
            (
                _CONTAINERS,
                Flag("limits", help="what containers may use at most, e.g. cpu=1,memory=256Mi"),
                Flag("requests", help="what containers ask for, e.g. cpu=100m"),
            ),
        ),
        _child(
            "selector",
            "Set the selector on a resource",
            "set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]",
            "# Point a service at other pods\nkubectl set selector service web app=web,track=stable",
            _selector,
        ),
        _child(
            "serviceaccount",
            "Update the service account of a resource",
            "set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT",
            "# Another identity\nkubectl set serviceaccount deployment web robot",
            _serviceaccount,
            (),
            ("sa",),
        ),
    ),
)
