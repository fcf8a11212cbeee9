"""`create deployment`."""

from __future__ import annotations

from typing import Any

from kubelearn.kubectl import creating
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.flags import require
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


def container_name(image: str) -> str:
    """`registry/path/nginx:1.25` → `nginx`, with what a name may not hold replaced."""
    name = image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[0]
    return name.replace("_", "-")


async def run(ctx: Context, parsed: Parsed) -> int:
    require(parsed, "image")
    command = parsed.after_dashes or []
    name = creating.one_name(parsed, "create deployment")
    images: list[str] = parsed["image"]
    if len(images) > 1 and command:
        raise CommandError("cannot specify multiple --image options and command")
    labels = {"app": name}
    containers: list[dict[str, Any]] = []
    names = set[str]()
    for image in images:
        used = container_name(image)
        if used in names:
            from kubelearn.api.meta import random_suffix

            used = f"{used}-{random_suffix()}"
        names.add(used)
        container: dict[str, Any] = {"name": used, "image": image}
        if command:
            container["command"] = command
        if parsed["port"] >= 0 and "port" in parsed.given and not containers:
            container["ports"] = [{"containerPort": parsed["port"]}]
        container["resources"] = {}
        containers.append(container)
    obj = {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": parsed["replicas"],
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            "strategy": {},
        },
        "status": {},
    }
    await creating.make(ctx, parsed, obj, what="deployment:")
    return 0


VERB = Verb(
    name="deployment",
    summary="Create a deployment with the specified name",
    usage="create deployment NAME --image=image -- [COMMAND] [args...]",
    examples="# Three replicas of one image\nkubectl create deployment web --image=kubelearn/web:v1 --replicas=3",
    flags=(
        *creating.flags(),
        Flag("image", kind="strings", help="image of the container (repeatable: one container each)"),
        Flag("port", kind="int", default=-1, help="the port that the container listens on"),
        Flag("replicas", "r", "int", 1, "how many pods"),
    ),
    run=run,
    aliases=("deploy",),
)
