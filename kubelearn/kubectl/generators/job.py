"""`create job`."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kubectl import creating, resources
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


def template(name: str, image: str, command: list[str], restart: str) -> Obj:
    """One container that runs to its end."""
    container: dict[str, Any] = {"name": name, "image": image, "resources": {}}
    if command:
        container["command"] = command
    return {"metadata": {}, "spec": {"containers": [container], "restartPolicy": restart}}


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create job")
    command = parsed.after_dashes or []
    if bool(parsed["image"]) == bool(parsed["from"]):
        raise CommandError("either --image or --from must be specified")
    if parsed["from"] and command:
        raise CommandError("cannot specify --from and command")
    obj: Obj = {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": name}}
    if parsed["from"]:
        obj = _instantiated(obj, await _source(ctx, parsed))
    else:
        obj |= {"spec": {"template": template(name, parsed["image"], command, "Never")}, "status": {}}
    await creating.make(ctx, parsed, obj, what="job:")
    return 0


async def _source(ctx: Context, parsed: Parsed) -> Obj:
    (found,) = await resources.objects(ctx, parsed, [parsed["from"]])
    if found.resource.kind != "CronJob":
        raise CommandError("from must be an existing cronjob")
    return found.object or {}


def _instantiated(job: Obj, cron: Obj) -> Obj:
    """The job that the schedule would make, now. Its owner is set without what would need more rights."""
    made, meta = cron["spec"]["jobTemplate"], cron["spec"]["jobTemplate"].get("metadata") or {}
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": cron["metadata"]["name"],
        "uid": cron["metadata"]["uid"],
        "controller": True,
    }
    metadata = {
        **job["metadata"],
        "annotations": {"cronjob.kubernetes.io/instantiate": "manual", **(meta.get("annotations") or {})},
        **({"labels": meta["labels"]} if meta.get("labels") else {}),
        "ownerReferences": [owner],
    }
    return {**job, "metadata": metadata, "spec": made["spec"], "status": {}}


VERB = Verb(
    name="job",
    summary="Create a job with the specified name",
    usage="create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]",
    examples="# Something to be done once\nkubectl create job hello --image=kubelearn/busybox:1 -- echo hello",
    flags=(
        *creating.flags(),
        Flag("image", help="image of the container"),
        Flag("from", help="make the job of this cron job (cronjob/NAME), now"),
    ),
    run=run,
)
